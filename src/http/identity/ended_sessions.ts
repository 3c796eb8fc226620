import type { Sql } from "../../database/sql.ts";
import { databaseErrorKind } from "../../database/error_kinds.ts";
import type { Session } from "./session.ts";

/** Whom {@link rememberSessions} remembers: more admins than look at once. */
const MOST_SESSIONS = 1000;

/**
 * Ends a session for every replica, so that copies of its cookie are no good either. The database remembers it until the
 * session would have expired.
 */
export async function endSession(sql: Sql, { id, expiresAt }: Session): Promise<void> {
  await sql`select assignment.end_session(${id}, ${expiresAt})`;
}

/** Tells whether somebody has signed out of a session, in whichever replica. */
export async function hasEnded(sql: Sql, { id }: Session): Promise<boolean> {
  const rows = await sql`select from assignment.ended_sessions where id = ${id}`;
  return rows.length > 0;
}

/**
 * Asks the database each time, as {@link hasEnded} does, so that a sign-out counts at once. But while the database is away,
 * a session that this replica knows from before goes on: an open page can say what is the matter, beside its last figures.
 * All else that could be seen or changed is in the database.
 */
export function rememberSessions(sql: Sql): (session: Session) => Promise<boolean> {
  const known = new Set<string>();
  return async function hasEndedAsFarAsKnown(session) {
    try {
      const isOver = await hasEnded(sql, session);
      known.delete(session.id);
      if (!isOver) known.add(session.id); // at the end: a Set keeps the order of insertion
      const [oldest] = known;
      if (known.size > MOST_SESSIONS && oldest !== undefined) known.delete(oldest);
      return isOver;
    } catch (error) {
      const kind = databaseErrorKind(error);
      if ((kind === "away" || kind === "incapable") && known.has(session.id)) return false;
      throw error;
    }
  };
}
