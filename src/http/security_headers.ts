import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "./env.ts";
import { isHttps } from "./identity/same_origin.ts";

const HTTPS_FOR = "max-age=15552000";

/** For pages: nothing inline, nothing from another origin, and not in a frame. */
const pageHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
  // With the stricter default, browsers hide the origin of a form that is sent over plain http.
  referrerPolicy: "same-origin",
  strictTransportSecurity: false,
  xFrameOptions: "DENY",
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xDnsPrefetchControl: false,
  xXssProtection: false,
});

/**
 * For answers to programs (OWASP's REST Security Cheat Sheet): browsers must not show them as a page. The other
 * headers above concern documents only, and every header costs time with each check.
 */
const dataHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xFrameOptions: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xDnsPrefetchControl: false,
  xXssProtection: false,
});

/**
 * Sets the security headers: those for data on answers of the API, those for pages on all others. Browsers are told
 * to stay with https where they came by it; over http they ignore that (RFC 6797, sections 7.2 and 8.1).
 */
export const strictHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await (c.req.path.startsWith("/v1/") ? dataHeaders : pageHeaders)(c, next);
  if (isHttps(c.req.raw)) c.res.headers.set("Strict-Transport-Security", HTTPS_FOR);
};
