import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "./env.ts";

/** What pages elsewhere may use; the admin page and its sessions are not among it. */
export const SHARED_PATHS = ["/v1/*", "/openapi.json"];

const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of these origins call with a token (https://fetch.spec.whatwg.org/#http-cors-protocol). Preflights are
 * answered before anybody is asked who they are, for they carry no token. Cookies stay out of it: no origin is allowed
 * credentials, so that nobody's session can be used from elsewhere.
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler<AppEnv> {
  const answerOrigin = cors({
    origin: [...origins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    allowHeaders: ["Authorization", "Content-Type", "Last-Event-ID", "X-Request-Id", "traceparent"],
    exposeHeaders: [
      ...["Content-Disposition", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"],
      ...["WWW-Authenticate", "X-Request-Id"],
    ],
    maxAge: PREFLIGHT_SECONDS,
  });
  return async function allowOrigins(c, next) {
    const isPreflight = c.req.header("access-control-request-method") !== undefined;
    if (c.req.method === "OPTIONS" && !isPreflight) return await next();
    return await answerOrigin(c, next);
  };
}
