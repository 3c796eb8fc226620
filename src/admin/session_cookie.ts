import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { isHttps } from "./same_origin.ts";
import { readSession, type Session, SESSION_HOURS, type SessionSecrets } from "./session.ts";

const NAME = "trainer_assignment_session";

/** Reads who is signed in; undefined for nobody. */
export function currentSession(c: Context, secrets: SessionSecrets): Session | undefined {
  const cookie = getCookie(c, cookieName(c));
  return cookie === undefined ? undefined : readSession(secrets, cookie);
}

/** Signs in: for scripts out of reach, for other sites never sent. */
export function startSession(c: Context, sealed: string): void {
  setCookie(c, cookieName(c), sealed, { ...attributes(c), maxAge: SESSION_HOURS * 3600 });
}

/** Signs out. */
export function endSession(c: Context): void {
  deleteCookie(c, cookieName(c), attributes(c));
}

/** Over https the name itself has the browser refuse a cookie that a neighbouring host or plain http tries to plant. */
function cookieName(c: Context): string {
  return isHttps(c) ? `__Host-${NAME}` : NAME;
}

function attributes(c: Context) {
  return { path: "/", httpOnly: true, sameSite: "Strict", secure: isHttps(c) } as const;
}
