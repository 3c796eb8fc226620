import type { Context } from "hono";
import type { Actor } from "../actor.ts";
import type { AppEnv } from "../http/env.ts";
import type { Session } from "../http/identity/session.ts";

/** What the middleware passes to the pages. */
export interface PageEnv {
  Bindings: {
    /** The context of the service around the pages: request id, address, and who calls. */
    request: Context<AppEnv>;
  };
  Variables: {
    /** Set on every page behind the sign-in. */
    session?: Session;
  };
}

/** Returns who is signed in. Only for pages behind the sign-in. */
export function sessionOf(c: Context<PageEnv>): Session {
  const { session } = c.var;
  if (session === undefined) throw new Error("a page without sign-in has no session");
  return session;
}

/** Returns who makes a change, for the log. Only for pages behind the sign-in. */
export function visitorOf(c: Context<PageEnv>): Required<Actor> {
  return { actor: sessionOf(c).name, requestId: c.env.request.var.requestId };
}
