import type { CheckMember } from "../assignments/batched_checks.ts";
import { findTokenBearer } from "./identity/auth.ts";
import type { Principal } from "./identity/principal.ts";
import { chooseRequestId, reportRequest } from "./observe.ts";
import type { Api } from "./route.ts";
import type { Services } from "./services.ts";
import { noteArrival } from "./time_limit.ts";

/** The check of one member, spelt as the database spells ids, to the default trainer. */
const CHECK_URL =
  /^https?:\/\/[\w.:[\]-]+\/v1\/members\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\/assignment$/;
const ROUTE = "/v1/members/:memberId/assignment";
/** Headers that differ from answer to answer. */
const ITS_OWN = ["x-request-id", "ratelimit", "ratelimit-policy"];
const MOST_KNOWN_CALLERS = 100;

const failures = new WeakMap<Request, unknown>();

/** Throws what a check met here already, so that the ordinary way need not ask, and wait, again. */
export function throwFailure(request: Request): void {
  if (failures.has(request)) throw failures.get(request);
}

/**
 * Lets the plainest and by far the most frequent request past the router: a check with a good token that is answered
 * with 200. Anything else about it, an error above all, goes the ordinary way, which stays the one to tell of it. The
 * answer is the ordinary one to the byte: its headers are those of the first such answer. Router and middleware, with
 * their objects for each request, took a third of what a check costs. Nor is there a timer for each: the query that many
 * checks share has one, and a check that got no answer in time is told so on the ordinary way.
 */
export function addCheckLane({ app, services, takeQuota }: Api, checkMember: CheckMember): void {
  const findCaller = rememberCallers(services);
  const { corsOrigins = [] } = services;
  // What is answered to another origin depends on the origin.
  const isPlain = corsOrigins.length === 0
    ? () => true
    : (request: Request) => !request.headers.has("origin");
  const takeOrdinaryWay = app.fetch;
  let headers: Record<string, string> | undefined;

  app.fetch = (request, ...rest) => {
    const memberId = request.method === "GET" ? CHECK_URL.exec(request.url)?.[1] : undefined;
    if (memberId === undefined || !isPlain(request)) return takeOrdinaryWay(request, ...rest);
    return answer(request, memberId, () => takeOrdinaryWay(request, ...rest));
  };

  async function answer(
    request: Request,
    memberId: string,
    ordinary: () => Response | Promise<Response>,
  ): Promise<Response> {
    const startedAt = performance.now();
    const caller = findCaller(request);
    if (caller === undefined || headers === undefined) return learnHeaders(await ordinary());
    const quota = takeQuota?.(request, caller.name);
    if (quota?.isExceeded) return await ordinary();
    let body: string;
    try {
      body = JSON.stringify(await checkMember(memberId));
    } catch (error) {
      noteArrival(request, startedAt); // no caller waits twice as long because it asked fast
      failures.set(request, error);
      return await ordinary();
    }
    const requestId = chooseRequestId(request.headers.get("x-request-id"));
    reportRequest(services, startedAt, {
      requestId,
      method: "GET",
      route: ROUTE,
      status: 200,
      token: caller.name,
      role: caller.role,
    });
    // All at once: a header that is set on a finished answer makes the runtime build it a second time.
    return new Response(body, { headers: { ...headers, ...quota?.headers, "X-Request-Id": requestId } });
  }

  function learnHeaders(response: Response): Response {
    if (headers === undefined && response.status === 200) {
      headers = Object.fromEntries([...response.headers].filter(([name]) => !ITS_OWN.includes(name)));
    }
    return response;
  }
}

/**
 * Finds out who calls, and remembers it: the configured tokens are the same as long as the process runs. Whoever guesses
 * learns nothing by the time it takes, for a guess is hashed, with a secret of the process, before it is compared. A JWT,
 * which ends by itself, is neither known here nor remembered: it goes the ordinary way each time.
 */
function rememberCallers({ tokens }: Services): (request: Request) => Principal | undefined {
  const known = new Map<string, Principal>();
  return function findCaller(request) {
    const authorization = request.headers.get("authorization");
    if (authorization === null) return undefined;
    const caller = known.get(authorization);
    if (caller !== undefined) return caller;
    const bearer = findTokenBearer(tokens, authorization); // both roles may check
    if (bearer !== undefined && known.size < MOST_KNOWN_CALLERS) known.set(authorization, bearer);
    return bearer;
  };
}
