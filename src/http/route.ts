import type { OpenAPIHono, RouteHandler } from "@hono/zod-openapi";
import type { Context, HonoRequest, MiddlewareHandler, Next } from "hono";
import { z } from "zod";
import { identify, requireRole } from "./identity/auth.ts";
import { callerAddress, callerNetwork } from "./identity/caller_address.ts";
import type { Role } from "../config/roles.ts";
import type { Principal } from "./identity/principal.ts";
import type { AppEnv } from "./env.ts";
import type { RouteDeclaration } from "./declaration.ts";
import { describeOperation, errorResponses } from "./openapi.ts";
import { Problem } from "./problems.ts";
import type { RequireVisibleRows } from "../database/visible_rows.ts";
import type { Read } from "../database/read_replica.ts";
import type { CheckHealth } from "../operation/shared_health.ts";
import { createRateLimit, type Quota, type TakeQuota } from "./rate_limit.ts";
import type { Services } from "./services.ts";
import { checkInput, limitBody, readJsonBody } from "./validation.ts";

/** The router under construction, and what its routes need. */
export interface Api {
  app: OpenAPIHono<AppEnv>;
  services: Services;
  /** Begins a read that may be as old as a replica of the database is; on the primary where there is none. */
  beginRead: () => Read;
  /** Refuses to answer while row-level security hides rows. */
  requireVisibleRows: RequireVisibleRows;
  /** The health that `/readyz`, `/metrics` and the admin page share. */
  checkHealth: CheckHealth;
  /** null: tokens may call without a limit. */
  takeQuota: TakeQuota | null;
}

const declaredRoles = new WeakMap<object, RouteDeclaration["role"]>();
const NO_PARAMETERS = z.strictObject({});

/** How often a network may call a route with a signature: it is verified without the database, but not for nothing. */
const SIGNED_PER_MINUTE = 6000;

/**
 * Adds a route. There is no other way, so every route has a role, documentation and strict input.
 *
 * Authorization and the checks of path and query are one synchronous step instead of one middleware each,
 * because they run ten thousand times a second. Bodies, which only rarer routes have, are read after it. A
 * caller without the role learns nothing about the input.
 */
export function addRoute<P extends string, R extends RouteDeclaration & { path: P }>(
  api: Api,
  declaration: R,
  handler: RouteHandler<R, AppEnv>,
): void {
  const { app } = api;
  const route: RouteDeclaration = declaration;
  if (!route.isHidden) document(app, route);
  const guard = guardRoute(route, api);
  declaredRoles.set(guard, route.role);
  const path = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
  app.on([route.method], [path], guard, ...readBody(route));
  const hasRole = route.role !== "none" && route.role !== "signature";
  if (hasRole) app.on([route.method], [path], lookFirst(api.requireVisibleRows));
  app.on([route.method], [path], handler);
}

/** The role that a route's first handler was declared with; undefined when it was not added by {@link addRoute}. */
export function declaredRole(handler: object): RouteDeclaration["role"] | undefined {
  return declaredRoles.get(handler);
}

/** Answers 405 with `Allow` to every other method of the paths there are. Call it when all routes are added. */
export function refuseOtherMethods({ app }: Api): void {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const known = methods.get(path) ?? new Set();
    methods.set(path, known.add(method));
    if (method === "GET") known.add("HEAD");
  }
  for (const [path, known] of methods) {
    const allow = [...known].sort().join(", ");
    app.all(path, () => {
      throw new Problem("method_not_allowed", `This path supports ${allow}.`, {
        headers: { Allow: allow },
      });
    });
  }
}

function document(app: Api["app"], route: RouteDeclaration): void {
  const { role, errors: _errors, isHidden: _isHidden, ...config } = route;
  app.openAPIRegistry.registerPath({
    ...config,
    description: describeOperation(route),
    security: role === "none" ? [] : [{ [role === "signature" ? "signature" : "bearer"]: [] }],
    responses: { ...config.responses, ...errorResponses(route) },
  });
}

function guardRoute(
  { role, request }: RouteDeclaration,
  { services, takeQuota }: Api,
): MiddlewareHandler<AppEnv> {
  const params = request?.params;
  const query = request?.query ?? (role === "none" ? undefined : NO_PARAMETERS);
  const takeNetworkQuota = role === "signature"
    ? createRateLimit(services.signedPerMinute ?? SIGNED_PER_MINUTE)
    : null;
  return function guard(c, next) {
    if (role === "none") return pass(c, next);
    if (role === "signature") {
      const network = callerNetwork(callerAddress(c, services.trustedProxies ?? 0));
      if (takeNetworkQuota !== null) requireQuota(takeNetworkQuota(network), "Your network");
      return pass(c, next);
    }
    const principal = identify(services, c);
    return principal instanceof Promise
      ? principal.then((principal) => admit(principal, role, c, next))
      : admit(principal, role, c, next);
  };

  function admit(principal: Principal, role: Role, c: Context<AppEnv>, next: Next): Promise<void> {
    c.set("principal", principal);
    if (takeQuota !== null) limitRate(takeQuota, principal, c);
    requireRole(principal, role);
    return pass(c, next);
  }

  function pass(c: Context<AppEnv>, next: Next): Promise<void> {
    if (params !== undefined) c.req.addValidatedData("param", checkInput(params, c.req.param(), "path"));
    if (query !== undefined) c.req.addValidatedData("query", checkInput(query, readQuery(c.req), "query"));
    return next();
  }
}

/** Counts requests with a token; sessions of the admin page are not limited. */
function limitRate(takeQuota: TakeQuota, { name }: Principal, c: Context<AppEnv>): void {
  if (c.req.header("authorization") === undefined) return;
  const quota = c.env.begun?.quota ?? takeQuota(name);
  c.set("quota", quota);
  requireQuota(quota);
}

/** @throws {Problem} `rate_limited` when the quota is exceeded. */
export function requireQuota({ isExceeded, waitSeconds }: Quota, caller = "This token"): void {
  if (!isExceeded) return;
  throw new Problem("rate_limited", `${caller} may send requests again in ${waitSeconds} s.`, {
    headers: { "Retry-After": String(waitSeconds) },
  });
}

/** Reads the query; a parameter that comes more than once is an array, which no schema of ours takes. */
function readQuery(request: HonoRequest): Record<string, string | string[] | undefined> {
  if (!request.url.includes("?")) return {};
  const entries = Object.entries(request.queries());
  return Object.fromEntries(entries.map(([key, values]) => [key, values.length === 1 ? values[0] : values]));
}

function lookFirst(requireVisibleRows: RequireVisibleRows): MiddlewareHandler<AppEnv> {
  return async function requireRows(_c, next) {
    await requireVisibleRows();
    await next();
  };
}

function readBody({ role, request }: RouteDeclaration): MiddlewareHandler<AppEnv>[] {
  if (request?.body === undefined) return [];
  if (role === "signature") return [limitBody()]; // what is signed is the text, which the handler parses
  const content = request.body.content["application/json"];
  const schema = content !== undefined && "schema" in content ? content.schema : undefined;
  if (!(schema instanceof z.ZodObject)) throw new Error("a body is a JSON object with a schema");
  return readJsonBody(schema, request.body.required === true);
}
