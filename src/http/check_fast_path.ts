import type { CheckMember } from "../assignments/batched_checks.ts";
import type { AppEnv, BegunCheck, Fetch } from "./env.ts";
import { findTokenBearer } from "./identity/auth.ts";
import type { Principal } from "./identity/principal.ts";
import { chooseRequestId, reportRequest } from "./observe.ts";
import type { Api } from "./route.ts";
import type { Services } from "./services.ts";

/** The check of one member, spelt as the database spells ids, to the default trainer. */
const CHECK_URL =
  /^https?:\/\/[\w.:[\]-]+\/v1\/members\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\/assignment$/;
const ROUTE = "/v1/members/:memberId/assignment";
/** Headers that differ from answer to answer. */
const ITS_OWN = ["x-request-id", "ratelimit", "ratelimit-policy"];
const MAX_KNOWN_CALLERS = 100;

/**
 * Puts a fast path in front of the router: a check of one member with a configured token that is answered with 200.
 * Everything else, errors above all, is the router's, which is told what is done already (`begun` in its environment). The
 * answer is the router's to the byte: its headers are those of the router's first such answer. Router and middleware, with
 * their objects for each request, took a third of what a check costs. There is no timer for each check: the batch's query
 * has one, and a check that got no answer in time is answered by the router.
 */
export function createCheckFastPath(
  { services, takeQuota }: Pick<Api, "services" | "takeQuota">,
  router: Fetch,
  checkMember: CheckMember,
): Fetch {
  const findCaller = rememberCallers(services);
  const { corsOrigins = [] } = services;
  // What is answered to another origin depends on the origin.
  const isPlain = corsOrigins.length === 0
    ? () => true
    : (request: Request) => !request.headers.has("origin");
  let headers: Record<string, string> | undefined;

  return function fetch(request, connection = {}) {
    const memberId = request.method === "GET" ? CHECK_URL.exec(request.url)?.[1] : undefined;
    if (memberId === undefined || !isPlain(request)) return router(request, connection);
    return check(request, memberId, connection);
  };

  async function check(
    request: Request,
    memberId: string,
    connection: AppEnv["Bindings"],
  ): Promise<Response> {
    const arrivedAt = performance.now();
    const caller = findCaller(request);
    if (caller === undefined || headers === undefined) return learnHeaders(await router(request, connection));
    const leave = (begun: BegunCheck) => router(request, { remoteAddr: connection.remoteAddr, begun });
    const quota = takeQuota?.(caller.name);
    if (quota?.isExceeded) return await leave({ arrivedAt, quota });
    let body: string;
    try {
      body = JSON.stringify(await checkMember(memberId));
    } catch (error) {
      return await leave({ arrivedAt, quota, failure: { error } });
    }
    const requestId = chooseRequestId(request.headers.get("x-request-id"));
    reportRequest(services, arrivedAt, {
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
 * Identifies callers, and remembers them: the configured tokens are the same as long as the process runs. The time it
 * takes tells nothing to whoever guesses, for the map hashes a guess, with a secret of the process, before it compares. A
 * JWT, which expires, is not remembered: the router sees it each time.
 */
function rememberCallers({ tokens }: Services): (request: Request) => Principal | undefined {
  const known = new Map<string, Principal>();
  return function findCaller(request) {
    const authorization = request.headers.get("authorization");
    if (authorization === null) return undefined;
    const caller = known.get(authorization);
    if (caller !== undefined) return caller;
    const bearer = findTokenBearer(tokens, authorization); // both roles may check
    if (bearer !== undefined && known.size < MAX_KNOWN_CALLERS) known.set(authorization, bearer);
    return bearer;
  };
}
