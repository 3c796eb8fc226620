import type { Context } from "hono";

/**
 * Tells whether a state-changing request comes from one of our pages. Browsers state the origin of a request in
 * headers that pages cannot forge: `Sec-Fetch-Site` over https and on loopback, `Origin` everywhere. A request
 * with neither is refused: current browsers always send one, and programs send a token instead of a cookie.
 * https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function isFromOurPages(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin";
  const origin = URL.parse(c.req.header("origin") ?? "");
  return origin !== null && origin.host === hostOf(c);
}

/** Tells whether the browser uses https, with this service or with a proxy in front of it. */
export function isHttps({ headers, url }: Pick<Request, "headers" | "url">): boolean {
  const forwarded = headers.get("x-forwarded-proto");
  return forwarded === null ? url.startsWith("https:") : forwarded.split(",")[0]?.trim() === "https";
}

/** Returns the origin by which the browser addresses this service. */
export function publicOrigin(c: Context): string {
  return `${isHttps(c.req.raw) ? "https" : "http"}://${hostOf(c)}`;
}

function hostOf(c: Context): string {
  return c.req.header("host") ?? new URL(c.req.url).host;
}
