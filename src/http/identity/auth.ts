import type { Context } from "hono";
import { isFromOurPages } from "./same_origin.ts";
import { findToken } from "./session.ts";
import { isSignedOut } from "./ended_sessions.ts";
import { readCookie } from "./session_cookie.ts";
import type { Token } from "../../config.ts";
import { includesRole, type Role } from "../../config/roles.ts";
import { roleMissing, tokenInvalid, tokenMissing } from "./challenges.ts";
import type { AppEnv } from "../env.ts";
import { looksLikeJwt } from "./jwt.ts";
import type { Principal } from "./principal.ts";
import { Problem } from "../problems.ts";
import type { Services } from "../services.ts";

// RFC 6750, section 2.1: the scheme in any case, one token of the b64token alphabet.
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** Identifies the caller by the configured token in an `Authorization` header; undefined if there is none. */
export function findTokenBearer(tokens: readonly Token[], authorization: string): Principal | undefined {
  const token = findToken(tokens, presentedToken(authorization));
  return token && { name: token.name, role: token.role };
}

/**
 * Identifies the caller by an `Authorization` header: synchronously for a configured token, asynchronously for a JWT.
 * @throws {Problem} `unauthorized` without a valid token; and what {@link VerifyJwt} throws.
 */
function authenticate(
  { tokens, verifyJwt }: Services,
  authorization: string | undefined,
): Principal | Promise<Principal> {
  if (authorization === undefined) throw tokenMissing();
  const bearer = findTokenBearer(tokens, authorization);
  if (bearer !== undefined) return bearer;
  const token = presentedToken(authorization);
  if (verifyJwt && looksLikeJwt(token)) return verifyJwt(token);
  throw tokenInvalid("The token is malformed, or is not configured.");
}

function presentedToken(authorization: string): string {
  return BEARER.exec(authorization)?.[1] ?? "";
}

/**
 * Identifies the caller by token or, without one, by the session cookie of the admin page. A browser may send
 * the cookie on behalf of another site, so changes by cookie must come from our own pages.
 * @throws {Problem} `unauthorized`, or `forbidden` for a change from another site.
 */
export function identify(services: Services, c: Context<AppEnv>): Principal | Promise<Principal> {
  const authorization = c.req.header("authorization");
  const hasCookie = authorization === undefined && c.req.header("cookie") !== undefined;
  return hasCookie ? identifyBySession(services, c) : authenticate(services, authorization);
}

async function identifyBySession(services: Services, c: Context<AppEnv>): Promise<Principal> {
  const session = await readCookie(c, services);
  if (session === undefined || await isSignedOut(services.sql, session)) throw tokenMissing();
  if (!["GET", "HEAD"].includes(c.req.method) && !isFromOurPages(c)) {
    throw new Problem(
      "forbidden",
      "With the admin page's cookie, only requests from that page may make changes.",
    );
  }
  return { name: session.name, role: session.role };
}

/** Requires a role, or one that includes it. @throws {Problem} `forbidden` */
export function requireRole(principal: Principal, needed: Role): void {
  if (includesRole(principal.role, needed)) return;
  throw roleMissing(
    { actor: principal.name, needed, held: principal.role },
    `This needs the role ${needed}; ${principal.name} has the role ${principal.role}.`,
  );
}

/** Returns the caller's name for records. Only for routes with a role. */
export function actorName(c: Context<AppEnv>): string {
  const { principal } = c.var;
  if (principal === undefined) throw new Error("a route without a role has no actor");
  return principal.name;
}
