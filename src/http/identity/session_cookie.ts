import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Sql } from "../../database/sql.ts";
import { isSignedOut } from "./ended_sessions.ts";
import { isHttps } from "./same_origin.ts";
import { readSession, type Session, SESSION_HOURS, type SessionSecrets } from "./session.ts";

const NAME = "trainer_assignment_session";

/** Reads the session by the cookie alone: it may be signed out. undefined where there is none. */
export async function readCookie(c: Context, secrets: SessionSecrets): Promise<Session | undefined> {
  const cookie = getCookie(c, cookieName(c));
  return cookie === undefined ? undefined : await readSession(secrets, cookie);
}

/** Tells whether the browser has a session's cookie, good or not. */
export function hasCookie(c: Context): boolean {
  return getCookie(c, cookieName(c)) !== undefined;
}

/**
 * Finds the session that is signed in; undefined where there is none, or it is signed out. Throws while the database does
 * not answer.
 */
export async function currentSession(
  c: Context,
  { sql, ...secrets }: SessionSecrets & { sql: Sql },
): Promise<Session | undefined> {
  const session = await readCookie(c, secrets);
  return session === undefined || await isSignedOut(sql, session) ? undefined : session;
}

/** Signs in by a cookie that scripts cannot read and that is never sent for other sites. */
export function startSession(c: Context, sealed: string): void {
  setCookie(c, cookieName(c), sealed, { ...attributes(c), maxAge: SESSION_HOURS * 3600 });
}

/** Removes the cookie from the browser. Copies stay valid until the session is ended, see ended_sessions.ts. */
export function forgetCookie(c: Context): void {
  deleteCookie(c, cookieName(c), attributes(c));
}

/** Over https the prefix makes browsers refuse such a cookie from a neighbouring host or over plain http. */
function cookieName(c: Context): string {
  return isHttps(c) ? `__Host-${NAME}` : NAME;
}

function attributes(c: Context) {
  return { path: "/", httpOnly: true, sameSite: "Strict", secure: isHttps(c) } as const;
}
