import type { RouteConfig } from "@hono/zod-openapi";
import type { z } from "zod";
import type { Role } from "../config/roles.ts";
import type { ProblemCode } from "./problems.ts";

type RequestBody = NonNullable<NonNullable<RouteConfig["request"]>["body"]>;

/** A route, as it is served and as it is documented. */
export type RouteDeclaration = Pick<RouteConfig, "method" | "responses"> & {
  /** As OpenAPI writes it: `/v1/members/{memberId}`. */
  path: string;
  /** The least role that may call; `signature`: the handler verifies one. There is no default. */
  role: Role | "signature" | "none";
  operationId: string;
  summary: string;
  description?: string;
  tags?: string[];
  /** Strict objects, which refuse unknown keys. A route with a role and without `query` accepts no query. */
  request?: {
    params?: z.ZodObject;
    query?: z.ZodObject;
    /** Documented only; the handler reads them. */
    headers?: z.ZodObject;
    body?: RequestBody;
  };
  /** The errors in addition to those of every such route (400, 401, 403, 413, 415, 429, 500, 503). */
  errors: ProblemCode[];
  /** Served, but left out of the documentation. */
  isHidden?: boolean;
};
