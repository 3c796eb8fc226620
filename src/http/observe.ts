import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { nameMethod } from "../telemetry/metrics.ts";
import { nameRequestSpan } from "../telemetry/tracing.ts";
import type { AppEnv } from "./env.ts";
import type { Services } from "./services.ts";

const SANE_REQUEST_ID = /^[\w.=-]{1,64}$/;

/** A slower request is always logged. */
const SLOW_MS = 1000;

/**
 * Gives each request an id (the caller's `X-Request-Id` if it is acceptable), returns it, and counts and
 * logs it, see {@link reportRequest}.
 */
export function observe(
  services: Pick<Services, "log" | "metrics" | "outageLog">,
): MiddlewareHandler<AppEnv> {
  return async function observe(c, next) {
    const startedAt = c.env.begun?.arrivedAt ?? performance.now();
    const requestId = chooseRequestId(c.req.header("x-request-id"));
    c.set("requestId", requestId);

    await next();

    const { headers, status } = c.res;
    headers.set("X-Request-Id", requestId);
    if (c.var.quota !== undefined) {
      for (const [name, value] of Object.entries(c.var.quota.headers)) headers.set(name, value);
    }
    // Assignments must not be cached; what may be cached sets its own header.
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
    reportRequest(services, startedAt, {
      requestId,
      method: c.req.method,
      route: c.var.route ?? routePath(c, -1),
      status,
      token: c.var.principal?.name,
      role: c.var.principal?.role,
    });
  };
}

/** Returns the caller's id if it is acceptable, else a new one. */
export function chooseRequestId(inbound: string | null | undefined): string {
  return inbound && SANE_REQUEST_ID.test(inbound) ? inbound : crypto.randomUUID();
}

/** An answered request, as far as log and metrics may know it. */
export interface AnsweredRequest {
  requestId: string;
  method: string;
  /** The route's template. */
  route: string;
  status: number;
  /** The name of the caller's token, and what it may do. */
  token: string | undefined;
  role: string | undefined;
}

/**
 * Counts a request and writes its access log: the route's template and the token's name, never ids, queries or
 * tokens. Fast successful reads, and failures while the database is away, are logged at `debug`: a check comes
 * thousands of times a second, and a line for each took a third of a replica's time.
 */
export function reportRequest(
  { log, metrics, outageLog }: Pick<Services, "log" | "metrics" | "outageLog">,
  startedAt: number,
  { role, ...answered }: AnsweredRequest,
): void {
  const request = { ...answered, method: nameMethod(answered.method) };
  const ms = performance.now() - startedAt;
  metrics?.countRequest({ ...request, role }, ms);
  nameRequestSpan(request);
  const isOrdinary = ["GET", "HEAD"].includes(request.method) && request.status < 400 && ms < SLOW_MS;
  const isOfOutage = request.status === 503 && outageLog?.isAway() === true;
  const level = isOrdinary || isOfOutage ? "debug" : "info";
  if (!log.isLevelEnabled(level)) return;
  log[level]({ ...request, ms: Math.round(ms * 10) / 10 }, "request");
}
