import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Sql } from "../../database/sql.ts";
import { hasEnded } from "./ended_sessions.ts";
import { isHttps } from "./same_origin.ts";
import { readSession, type Session, SESSION_HOURS, type SessionSecrets } from "./session.ts";

const NAME = "trainer_assignment_session";

/** Reads who is signed in by the cookie alone, which may have been signed out of; undefined for nobody. */
export async function readCookie(c: Context, secrets: SessionSecrets): Promise<Session | undefined> {
  const cookie = getCookie(c, cookieName(c));
  return cookie === undefined ? undefined : await readSession(secrets, cookie);
}

/**
 * Finds who is signed in; undefined for nobody, also where the session was signed out of. Throws while the database does
 * not answer.
 */
export async function currentSession(
  c: Context,
  { sql, ...secrets }: SessionSecrets & { sql: Sql },
): Promise<Session | undefined> {
  const session = await readCookie(c, secrets);
  return session === undefined || await hasEnded(sql, session) ? undefined : session;
}

/** Signs in: for scripts out of reach, for other sites never sent. */
export function startSession(c: Context, sealed: string): void {
  setCookie(c, cookieName(c), sealed, { ...attributes(c), maxAge: SESSION_HOURS * 3600 });
}

/** Has the browser forget its cookie; copies of it are good until the session is ended, see ended_sessions.ts. */
export function forgetCookie(c: Context): void {
  deleteCookie(c, cookieName(c), attributes(c));
}

/** Over https the name itself has the browser refuse a cookie that a neighbouring host or plain http tries to plant. */
function cookieName(c: Context): string {
  return isHttps(c) ? `__Host-${NAME}` : NAME;
}

function attributes(c: Context) {
  return { path: "/", httpOnly: true, sameSite: "Strict", secure: isHttps(c) } as const;
}
