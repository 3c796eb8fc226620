import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "./env.ts";

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
  strictTransportSecurity: HTTPS_FOR,
  xFrameOptions: "DENY",
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xDnsPrefetchControl: false,
  xXssProtection: false,
});

/**
 * What programs read (OWASP's REST Security Cheat Sheet): not a page, whatever a browser is told of it. The rest of the
 * headers above is about documents, and every header costs the runtime something with each check.
 */
const dataHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  strictTransportSecurity: HTTPS_FOR,
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

/** Every answer has one of two policies: the API's answers the one for data, all others the one for pages. */
export const strictHeaders: MiddlewareHandler<AppEnv> = (c, next) =>
  (c.req.path.startsWith("/v1/") ? dataHeaders : pageHeaders)(c, next);
