import { hash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { isFromOurPages } from "../admin/same_origin.ts";
import { currentSession } from "../admin/session_cookie.ts";
import type { Token } from "../config.ts";
import type { AppEnv } from "./env.ts";
import { Problem } from "./problems.ts";
import type { Services } from "./services.ts";

/** What a route asks for. `admin` may do all that `service` may. */
export type Role = Token["role"];

/** Who calls. */
export interface Principal {
  name: string;
  role: Role;
}

// RFC 6750, section 2.1: the scheme in any case, one token of the b64token alphabet.
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;
const CHALLENGE = 'Bearer realm="trainer-assignment"';

/**
 * Finds out who calls from an `Authorization` header. The presented token is hashed and compared with every configured
 * one, without an early exit, so that the time taken tells nothing about any of them.
 * @throws {Problem} `unauthorized` when there is no header, or none that carries a configured token.
 */
export function authenticate(tokens: readonly Token[], authorization: string | undefined): Principal {
  if (authorization === undefined) {
    throw new Problem("unauthorized", "Send a token: Authorization: Bearer …", {
      headers: { "WWW-Authenticate": CHALLENGE },
    });
  }
  const sha256 = hash("sha256", BEARER.exec(authorization)?.[1] ?? "", "buffer");
  let principal: Principal | undefined;
  for (const token of tokens) {
    if (timingSafeEqual(sha256, token.sha256)) principal = { name: token.name, role: token.role };
  }
  if (principal === undefined) {
    throw new Problem("unauthorized", "The token is malformed or not a configured one.", {
      headers: { "WWW-Authenticate": `${CHALLENGE}, error="invalid_token"` },
    });
  }
  return principal;
}

/**
 * Finds out who calls: by token, or, where there is none, by the session cookie of the admin page. What a browser sends
 * with a cookie may be another site's doing, so that such a request changes nothing unless it comes from a page of ours.
 * @throws {Problem} `unauthorized`, or `forbidden` for a change from another site.
 */
export function identify(services: Services, c: Context<AppEnv>): Principal {
  const authorization = c.req.header("authorization");
  const hasCookie = authorization === undefined && c.req.header("cookie") !== undefined;
  const session = hasCookie ? currentSession(c, services) : undefined;
  if (session === undefined) return authenticate(services.tokens, authorization);
  if (!["GET", "HEAD"].includes(c.req.method) && !isFromOurPages(c)) {
    throw new Problem(
      "forbidden",
      "The cookie of the admin page allows changes to requests from that page alone.",
    );
  }
  return { name: session.name, role: session.role };
}

/** @throws {Problem} `forbidden` when the principal's role does not reach the needed one. */
export function requireRole(principal: Principal, needed: Role): void {
  if (principal.role === "admin" || principal.role === needed) return;
  throw new Problem(
    "forbidden",
    `This needs a token with the role ${needed}; ${principal.name} has the role ${principal.role}.`,
    {
      headers: { "WWW-Authenticate": `${CHALLENGE}, error="insufficient_scope", scope="${needed}"` },
    },
  );
}

/** Names the caller for the records: who started, paused, changed. Only for routes that have a role. */
export function actorName(c: Context<AppEnv>): string {
  const { principal } = c.var;
  if (principal === undefined) throw new Error("a route without a role has no actor");
  return principal.name;
}
