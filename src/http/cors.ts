import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "./env.ts";

/** The paths that pages of other origins may use; not the admin page and its sessions. */
export const SHARED_PATHS = ["/v1/*", "/openapi.json"];

const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of these origins call with a token (https://fetch.spec.whatwg.org/#http-cors-protocol). Preflights are
 * answered before authentication, because they carry no token. No origin is allowed
 * credentials (cookies), so no other site can use a session.
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler<AppEnv> {
  const answerOrigin = cors({
    origin: [...origins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: [
      ...["Authorization", "Content-Type", "If-Match", "If-None-Match", "Last-Event-ID", "X-Request-Id"],
      "traceparent",
    ],
    exposeHeaders: [
      ...["Content-Disposition", "ETag", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"],
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
