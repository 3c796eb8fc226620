import type { Context } from "hono";

/**
 * Tells whether a state-changing request comes from a page of ours. Browsers say where a request comes from, and no page
 * can make them say otherwise: `Sec-Fetch-Site` over https and on loopback, `Origin` everywhere. A request with neither
 * is refused: no browser of the last years sends such a thing, and programs send a token instead of a cookie.
 * https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function isFromOurPages(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin";
  const origin = URL.parse(c.req.header("origin") ?? "");
  return origin !== null && origin.host === hostOf(c);
}

/** Tells whether the browser speaks https: with this service, or with a proxy in front that says so. */
export function isHttps(c: Context): boolean {
  const forwarded = c.req.header("x-forwarded-proto")?.split(",")[0]?.trim();
  return (forwarded ?? new URL(c.req.url).protocol.slice(0, -1)) === "https";
}

/** The address under which the browser knows this service. */
export function publicOrigin(c: Context): string {
  return `${isHttps(c) ? "https" : "http"}://${hostOf(c)}`;
}

function hostOf(c: Context): string {
  return c.req.header("host") ?? new URL(c.req.url).host;
}
