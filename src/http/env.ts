import type { Deadline } from "../deadline.ts";
import type { Principal } from "./identity/principal.ts";
import type { Quota } from "./rate_limit.ts";

/** What the middleware leaves on the context for those after it. */
export interface AppEnv {
  Variables: {
    requestId: string;
    /** The template of the route, where another application than the outermost has it. */
    route?: string;
    /** Set on every route that has a role. */
    principal?: Principal;
    /** What the caller's token has left; set where there is a limit. */
    quota?: Quota;
    /** Until when there has to be an answer. */
    deadline?: Deadline;
  };
}
