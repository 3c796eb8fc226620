import type { Deadline } from "../deadline.ts";
import type { Principal, Refusal } from "./identity/principal.ts";
import type { Quota } from "./rate_limit.ts";

/** The environment of a request, and the variables that the middleware sets. */
export interface AppEnv {
  Bindings: {
    /** The caller's end of the connection; absent where a request comes without one. */
    remoteAddr?: Deno.Addr | undefined;
    /** Set when the check's fast path began this request and leaves it to the router. */
    begun?: BegunCheck;
  };
  Variables: {
    requestId: string;
    /** The template of the route, where another application than the outermost has it. */
    route?: string;
    /** Set on every route that has a role. */
    principal?: Principal;
    /** Set when the caller was refused for want of a role. */
    refusal?: Refusal;
    /** What the caller's token has left; set where there is a limit. */
    quota?: Quota;
    /** Until when there has to be an answer. */
    deadline?: Deadline;
  };
}

/** What the fast path has done for a check, so that the router does not repeat it. */
export interface BegunCheck {
  /** By `performance.now()`: no caller waits twice as long because it asked fast. */
  arrivedAt: number;
  /** The check is counted already; absent where there is no limit. */
  quota: Quota | undefined;
  /** The error of the check; absent if it was not tried. */
  failure?: { error: unknown };
}

/** Answers a request; Deno.serve's own handlers and Hono's `fetch` fit. */
export type Fetch = (request: Request, connection?: AppEnv["Bindings"]) => Response | Promise<Response>;
