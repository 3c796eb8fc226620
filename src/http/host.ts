import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./env.ts";
import { Problem } from "./problems.ts";

/** A name or address, and a port: RFC 9110, section 7.2. */
const HOST = /^(?:[\w.-]*|\[[0-9a-f:.]+\])(?::\d*)?$/i;

/**
 * Refuses a malformed `Host`, as RFC 9112, section 3.2, demands. The runtime accepts any text, and builds URLs
 * from it that are invalid (`http://a b/livez`) or have another path (`http://a?b/livez`).
 */
export const refuseOddHosts: MiddlewareHandler<AppEnv> = async function refuseOddHosts(c, next) {
  const host = c.req.header("host") ?? "";
  if (!HOST.test(host) || !URL.canParse(c.req.url)) {
    throw new Problem("invalid_request", "The header Host must be a valid host name.");
  }
  await next();
};
