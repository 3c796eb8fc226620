import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "./env.ts";
import { describeProblem, type ProblemCode, problemDocument } from "./problems.ts";
import type { RouteDeclaration } from "./declaration.ts";
import { EXAMPLE, header, Problem } from "./schemas.ts";

/** Groups the operations in `/docs`. */
export const TAGS = [
  { name: "Assignments", description: "Who is assigned to whom; assign and end." },
  { name: "Backfills", description: "Passes over all members that assign whoever lacks the trainer." },
  { name: "Failures", description: "Auto-assignments that wait for a retry." },
  { name: "Settings", description: "The default trainer." },
  { name: "Operation", description: "Health and this documentation." },
] as const;

/** What every OpenAPI document has. */
export const OpenApiDocument = z.looseObject({ openapi: z.string() });

/** Makes the OpenAPI 3.1 document of all routes added so far. */
export function openApiDocument(app: OpenAPIHono<AppEnv>): z.infer<typeof OpenApiDocument> {
  return OpenApiDocument.parse(app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Trainer assignment",
      version: "1.0.0",
      description: "Every member has a trainer. Times are ISO 8601 UTC, ids any RFC 9562 UUID. " +
        "Lists are paged by `limit` and an opaque `cursor`: follow `next`, or the `Link` header, until it is null. " +
        "Errors are RFC 9457 problem details with a stable `code`. " +
        "Where the service limits how often a token may call, answers say what is left in `RateLimit`.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    servers: [{ url: "/" }],
    tags: [...TAGS],
  }));
}

/** Describes the bearer tokens; once an app, before its routes. */
export function registerSecurity(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "a token of the configuration, or a JWT",
    description:
      "A token made by `deno task token NAME ROLE`; or, where the service names an OpenID Connect provider, a JWT " +
      "access token of that provider for the service's audience, signed by an asymmetric key, whose claim of roles " +
      "holds `admin` or `service`. The role admin may do all that service may.",
  });
}

const ERROR_HEADERS: Record<number, Record<string, ReturnType<typeof header>>> = {
  401: { "WWW-Authenticate": header("What is wrong with the token (RFC 6750).") },
  429: {
    "Retry-After": header("Seconds after which the token may ask again."),
    RateLimit: header("What the token has left: r requests; t seconds until there are more."),
    "RateLimit-Policy": header("The token's quota: q requests in w seconds."),
  },
  503: { "Retry-After": header("Seconds after which trying again makes sense.") },
};

/** The error answers of a route, by status, with an example for each code: its own and those that all like it share. */
export function errorResponses(route: RouteDeclaration) {
  const byStatus = new Map<number, Record<string, { summary: string; value: object }>>();
  for (const code of [...sharedErrors(route), ...route.errors]) {
    const { status, title } = describeProblem(code, route.path);
    const value = problemDocument(code, route.path, `${title}.`, EXAMPLE.requestId);
    byStatus.set(status, { ...byStatus.get(status), [code]: { summary: title, value } });
  }
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, examples]) => [status, {
      description: Object.values(examples).map(({ summary }) => summary).join("; ") + ".",
      ...(ERROR_HEADERS[status] === undefined ? {} : { headers: ERROR_HEADERS[status] }),
      content: { "application/problem+json": { schema: Problem, examples } },
    }]),
  );
}

function sharedErrors({ role, request }: RouteDeclaration): ProblemCode[] {
  const codes: ProblemCode[] = ["internal_error", "invalid_request"]; // a Host that is none is refused everywhere
  if (role !== "none") {
    codes.push("unauthorized", "forbidden", "rate_limited", "identity_provider_unavailable");
    codes.push("database_unavailable", "database_busy", "rows_hidden", "request_timeout");
  }
  if (request?.body !== undefined) codes.push("body_too_large", "unsupported_media_type");
  return codes;
}
