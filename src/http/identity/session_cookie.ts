import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Sql } from "../../database/sql.ts";
import { isSignedOut } from "./ended_sessions.ts";
import { isHttps } from "./same_origin.ts";
import { readSession, type Session, SESSION_HOURS, type SessionSecrets } from "./session.ts";

const NAME = "trainer_assignment_session";

/** Reads the session from the cookie; undefined if there is none. Does not check whether it was signed out. */
export async function readCookie(c: Context, secrets: SessionSecrets): Promise<Session | undefined> {
  const cookie = getCookie(c, cookieName(c));
  return cookie === undefined ? undefined : await readSession(secrets, cookie);
}

/** Tells whether the browser has a session's cookie, good or not. */
export function hasCookie(c: Context): boolean {
  return getCookie(c, cookieName(c)) !== undefined;
}

/**
 * Finds the current session; undefined if there is none, or it was signed out. Throws while the database does
 * not answer.
 */
export async function currentSession(
  c: Context,
  { sql, ...secrets }: SessionSecrets & { sql: Sql },
): Promise<Session | undefined> {
  const session = await readCookie(c, secrets);
  return session === undefined || await isSignedOut(sql, session) ? undefined : session;
}

/** Sets the session cookie. Scripts cannot read it, and browsers do not send it for other sites. */
export function startSession(c: Context, sealed: string): void {
  setCookie(c, cookieName(c), sealed, { ...attributes(c), maxAge: SESSION_HOURS * 3600 });
}

/** Removes the cookie from the browser. Copies stay valid until the session ends, see ended_sessions.ts. */
export function forgetCookie(c: Context): void {
  deleteCookie(c, cookieName(c), attributes(c));
}

/**
 * Returns the cookie's name. Over https its prefix makes browsers refuse one from a sibling host or over plain
 * http.
 */
function cookieName(c: Context): string {
  return isHttps(c.req.raw) ? `__Host-${NAME}` : NAME;
}

function attributes(c: Context) {
  return { path: "/", httpOnly: true, sameSite: "Strict", secure: isHttps(c.req.raw) } as const;
}
