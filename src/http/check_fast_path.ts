import type { CheckMember } from "../assignments/batched_checks.ts";
import type { AppEnv, BegunCheck, Fetch } from "./env.ts";
import { findTokenBearer } from "./identity/auth.ts";
import type { Principal } from "./identity/principal.ts";
import { isHttps } from "./identity/same_origin.ts";
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
 * Puts a fast path in front of the router, for successful checks of one member with a configured token. The
 * router answers everything else, including errors; `begun` in its environment says what is already done. The
 * answer is the same, byte by byte: its headers are copied from the router's first such answer over http or https. Without the
 * fast path, router and middleware take a third of a check's time. Checks have no timers of their own: the
 * batch's query has one, and the router answers a check that got no answer in time.
 */
export function createCheckFastPath(
  { services, takeQuota }: Pick<Api, "services" | "takeQuota">,
  router: Fetch,
  checkMember: CheckMember,
): Fetch {
  const findCaller = rememberCallers(services);
  const { corsOrigins = [] } = services;
  // An answer to another origin depends on that origin.
  const isPlain = corsOrigins.length === 0
    ? () => true
    : (request: Request) => !request.headers.has("origin");
  const known: { http?: Record<string, string>; https?: Record<string, string> } = {};

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
    const scheme = isHttps(request) ? "https" : "http";
    const headers = known[scheme];
    if (caller === undefined || headers === undefined) {
      return learnHeaders(scheme, await router(request, connection));
    }
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

  function learnHeaders(scheme: "http" | "https", response: Response): Response {
    if (known[scheme] === undefined && response.status === 200) {
      known[scheme] = Object.fromEntries([...response.headers].filter(([name]) => !ITS_OWN.includes(name)));
    }
    return response;
  }
}

/**
 * Identifies callers by configured token, and remembers them, since these tokens never change while the process
 * runs. Its time reveals nothing about a guess: the map hashes it with a secret of the process before it
 * compares. JWTs expire, so they are left to the router.
 */
function rememberCallers({ tokens }: Services): (request: Request) => Principal | undefined {
  const known = new Map<string, Principal>();
  return function findCaller(request) {
    const authorization = request.headers.get("authorization");
    if (authorization === null) return undefined;
    const caller = known.get(authorization);
    if (caller !== undefined) return caller;
    const bearer = findTokenBearer(tokens, authorization); // every role may check
    if (bearer !== undefined && known.size < MAX_KNOWN_CALLERS) known.set(authorization, bearer);
    return bearer;
  };
}
