import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Logger } from "../log.ts";
import type { AppEnv } from "./env.ts";

const SANE_REQUEST_ID = /^[\w.=-]{1,64}$/;

/**
 * Gives each request an id (the caller's own in `X-Request-Id` where it is a sane one), sends it back, and writes one
 * line of access log. The log has the route's template and the token's name, never ids, queries or tokens.
 */
export function observe(log: Logger): MiddlewareHandler<AppEnv> {
  return async function observe(c, next) {
    const startedAt = performance.now();
    const inbound = c.req.header("x-request-id");
    const requestId = inbound !== undefined && SANE_REQUEST_ID.test(inbound) ? inbound : crypto.randomUUID();
    c.set("requestId", requestId);

    await next();

    const { headers, status } = c.res;
    headers.set("X-Request-Id", requestId);
    // Who is assigned to whom is nothing for a cache; what may be kept says so itself.
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
    log.info({
      requestId,
      method: c.req.method,
      route: routePath(c, -1),
      status,
      ms: Math.round((performance.now() - startedAt) * 10) / 10,
      token: c.var.principal?.name,
    }, "request");
  };
}
