import type { Sql } from "../../database/sql.ts";
import { databaseErrorKind } from "../../database/error_kinds.ts";
import type { Session } from "./session.ts";

/** How many sessions {@link rememberSessions} remembers. */
const MAX_SESSIONS = 1000;

/**
 * Ends a session for every replica, copies of its cookie included. The database remembers it until the session would have
 * expired.
 */
export async function endSession(sql: Sql, { id, expiresAt }: Session): Promise<void> {
  await sql`select assignment.end_session(${id}, ${expiresAt})`;
}

/** Tells whether a session was signed out, in whichever replica. */
export async function isSignedOut(sql: Sql, { id }: Session): Promise<boolean> {
  const rows = await sql`select from assignment.ended_sessions where id = ${id}`;
  return rows.length > 0;
}

/**
 * Makes an {@link isSignedOut} that still answers while the database is away: a session that this replica saw before goes
 * on, so that an open page can say what is the matter, beside its last figures. Everything else to see or change is in the
 * database. While the database is there it is asked each time, so a sign-out counts at once.
 */
export function rememberSessions(sql: Sql): (session: Session) => Promise<boolean> {
  const known = new Set<string>();
  return async function isSignedOutAsFarAsKnown(session) {
    try {
      const isOver = await isSignedOut(sql, session);
      known.delete(session.id);
      if (!isOver) known.add(session.id); // at the end: a Set keeps the order of insertion
      const [oldest] = known;
      if (known.size > MAX_SESSIONS && oldest !== undefined) known.delete(oldest);
      return isOver;
    } catch (error) {
      const kind = databaseErrorKind(error);
      if ((kind === "away" || kind === "incapable") && known.has(session.id)) return false;
      throw error;
    }
  };
}
