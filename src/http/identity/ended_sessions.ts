import type { Sql } from "../../database/sql.ts";
import { isOutage } from "../../database/error_kinds.ts";
import type { Session } from "./session.ts";

/** The most sessions that {@link rememberSessions} remembers. */
const MAX_SESSIONS = 1000;

/**
 * Ends a session on every replica, including copies of its cookie. The database records it until the session
 * would have expired, and the audit log tells who signed out.
 */
export async function endSession(
  sql: Sql,
  { id, expiresAt, name }: Session,
  requestId: string,
): Promise<void> {
  await sql`select assignment.end_session(${id}, ${expiresAt}, ${name}, ${requestId})`;
}

/** Tells whether a session was signed out, on any replica. */
export async function isSignedOut(sql: Sql, { id }: Session): Promise<boolean> {
  const rows = await sql`select from assignment.ended_sessions where id = ${id}`;
  return rows.length > 0;
}

/**
 * Makes an {@link isSignedOut} that also answers while the database is away: sessions that this replica has
 * seen stay signed in, so that an open page can show the outage and its last figures. Otherwise it asks the
 * database every time, so that a sign-out counts at once.
 */
export function rememberSessions(sql: Sql): (session: Session) => Promise<boolean> {
  const known = new Set<string>();
  return async function isSignedOutAsFarAsKnown(session) {
    try {
      const isOver = await isSignedOut(sql, session);
      known.delete(session.id);
      if (!isOver) known.add(session.id); // moves it to the end: a Set keeps the order of insertion
      const [oldest] = known;
      if (known.size > MAX_SESSIONS && oldest !== undefined) known.delete(oldest);
      return isOver;
    } catch (error) {
      if (isOutage(error) && known.has(session.id)) return false;
      throw error;
    }
  };
}
