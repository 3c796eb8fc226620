import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "./env.ts";
import { VERSION } from "../version.ts";
import { rolesFrom } from "../config/roles.ts";
import { describeProblem, type ProblemCode, problemDocument } from "./problems.ts";
import type { RouteDeclaration } from "./declaration.ts";
import { EXAMPLE, header, Problem } from "./schemas.ts";

/** Groups the operations in `/docs`. */
export const TAGS = [
  {
    name: "Assignments",
    description: "Check and list who is assigned to whom; assign a member; end an assignment.",
  },
  { name: "Members", description: "Find members by name." },
  { name: "Trainers", description: "How many clients each trainer has, and how many more they take." },
  {
    name: "Backfills",
    description: "A backfill run goes through all members and assigns those who lack their trainer.",
  },
  {
    name: "Transfers",
    description:
      "A transfer run moves the clients of one trainer to others, for example when the trainer leaves.",
  },
  { name: "Failures", description: "Automatic assignments that failed and wait for a retry." },
  {
    name: "Policy",
    description:
      "Who trains whom: rules over the member's row, behind them the default trainer. Every change is a version.",
  },
  {
    name: "Webhooks",
    description:
      "Messages about assignments, runs and the policy: sent to a URL, signed by the Standard Webhooks specification, or fetched.",
  },
  { name: "History", description: "Who did what, when and why; and all that is kept of one member." },
  { name: "Operation", description: "Health, metrics and this documentation." },
] as const;

/** What every OpenAPI document has. */
export const OpenApiDocument = z.looseObject({ openapi: z.string() });

/** Makes the OpenAPI 3.1 document of all routes added so far. */
export function openApiDocument(app: OpenAPIHono<AppEnv>): z.infer<typeof OpenApiDocument> {
  return OpenApiDocument.parse(app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Trainer assignment",
      version: VERSION,
      description: "Gives every member a trainer: check, list, assign, backfill, transfer.\n\n" +
        "- **Ids** are RFC 9562 UUIDs of any version. **Times** are ISO 8601 in UTC.\n" +
        "- **Lists** are paged by `limit` and an opaque `cursor`. Follow `next`, or the header `Link`, until `next` is null.\n" +
        "- **Errors** are problem details (RFC 9457) with a stable `code`.\n" +
        "- **Requests** have at most 256 KiB of body. Unknown fields and parameters are refused.\n" +
        "- **Rate limits** apply if the service is configured with one. The header `RateLimit` then says what is left.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    servers: [{ url: "/" }],
    tags: [...TAGS],
  }));
}

/** Describes the bearer tokens and the signature of events; once an app, before its routes. */
export function registerSecurity(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "a configured token, or a JWT",
    description:
      "A token made by `deno task token NAME ROLE`. If the service is configured with an OpenID Connect provider, " +
      "also a JWT access token of that provider: for the service's audience, signed with an asymmetric key, with " +
      "`service`, `viewer` or `admin` in the claim of roles. `service` checks and lists assignments and fetches messages " +
      "(`GET /v1/events`), `viewer` also reads everything else, and `admin` may do everything.",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "signature", {
    type: "apiKey",
    in: "header",
    name: "webhook-signature",
    description:
      "The signature of an event by Standard Webhooks, with the headers `webhook-id` and `webhook-timestamp`. If the " +
      "service is configured with another provider, the signature is in the header of that provider.",
  });
}

const ERROR_HEADERS: Record<number, Record<string, ReturnType<typeof header>>> = {
  401: { "WWW-Authenticate": header("What is wrong with the token (RFC 6750).") },
  429: {
    "Retry-After": header("Seconds until the token may send requests again."),
    RateLimit: header("What the token has left: `r` requests; `t` seconds until there are more."),
    "RateLimit-Policy": header("The token's quota: `q` requests in `w` seconds."),
  },
  503: { "Retry-After": header("Seconds to wait before the next try.") },
};

/**
 * The error answers of a route, by status, with an example for each code: its own and those that all like it
 * share.
 */
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

const CHOICE = new Intl.ListFormat("en-GB", { type: "disjunction" });

/** Says what an operation does and who may call it. */
export function describeOperation({ description, role }: RouteDeclaration): string {
  const caller = role === "none"
    ? "Needs no token."
    : role === "signature"
    ? "Needs a signature instead of a token."
    : `Needs the role ${CHOICE.format(rolesFrom(role).map((each) => `\`${each}\``))}.`;
  return description === undefined ? caller : `${description}\n\n${caller}`;
}

function sharedErrors({ role, request }: RouteDeclaration): ProblemCode[] {
  const codes: ProblemCode[] = ["internal_error", "invalid_request"]; // a malformed Host is refused everywhere
  if (role !== "none") codes.push("rate_limited", "database_unavailable", "database_busy", "request_timeout");
  if (role !== "none" && role !== "signature") {
    codes.push("unauthorized", "forbidden", "identity_provider_unavailable", "rows_hidden");
  }
  if (request?.body !== undefined) codes.push("body_too_large");
  if (request?.body !== undefined && role !== "signature") codes.push("unsupported_media_type");
  return codes;
}
