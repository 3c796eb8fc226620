import type { Context } from "hono";
import { routePath } from "hono/route";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ErrorCode } from "../errors.ts";
import type { InputError } from "../input_errors.ts";
import type { AppEnv } from "./env.ts";
import type { Refusal } from "./identity/principal.ts";

type HttpCode =
  | "invalid_request"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "not_acceptable"
  | "body_too_large"
  | "unsupported_media_type"
  | "precondition_required"
  | "signature_invalid"
  | "member_hook_off"
  | "member_id_missing"
  | "members_unfit"
  | "rate_limited"
  | "request_timeout"
  | "too_many_streams"
  | "database_busy"
  | "database_unavailable"
  | "identity_provider_unavailable"
  | "internal_error";

/** Every stable code that a client can receive. */
export type ProblemCode = ErrorCode | HttpCode;

const PROBLEMS: Record<
  ProblemCode,
  { status: ContentfulStatusCode; title: string; retryAfterSeconds?: number }
> = {
  invalid_request: { status: 400, title: "The request is invalid" },
  invalid_cursor: { status: 400, title: "The cursor does not belong to this list" },
  unauthorized: { status: 401, title: "A valid token is required" },
  signature_invalid: { status: 401, title: "A valid signature is required" },
  forbidden: { status: 403, title: "The token's role does not allow this" },
  not_found: { status: 404, title: "The path does not exist" },
  member_hook_off: { status: 404, title: "The service takes no events of an identity provider" },
  member_not_found: { status: 404, title: "The member does not exist" },
  assignment_not_found: { status: 404, title: "The member has no active assignment to this trainer" },
  run_not_found: { status: 404, title: "The run does not exist" },
  webhook_not_found: { status: 404, title: "The webhook does not exist" },
  delivery_not_found: { status: 404, title: "The webhook has no delivery of this message" },
  policy_version_not_found: { status: 404, title: "The policy has no such version" },
  method_not_allowed: { status: 405, title: "The path does not support this method" },
  not_acceptable: { status: 406, title: "None of the accepted media types is available" },
  backfill_active: { status: 409, title: "A backfill run of this kind has not ended" },
  transfer_active: { status: 409, title: "A transfer from this trainer has not ended" },
  invalid_transition: { status: 409, title: "The run's status does not allow this" },
  run_cancelled: { status: 409, title: "The run was cancelled" },
  no_room: { status: 409, title: "The trainer has no room" },
  assignment_failed: { status: 409, title: "The database refused the assignment" },
  webhook_has_no_url: { status: 409, title: "The webhook has no URL" },
  webhooks_not_configured: { status: 409, title: "The service has no key for webhooks" },
  cursor_expired: { status: 410, title: "Messages after the cursor are no longer kept" },
  policy_changed: { status: 412, title: "Another version of the policy is in force" },
  body_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The body's media type is not supported" },
  policy_invalid: { status: 422, title: "The policy does not fit the database" },
  trainer_not_found: { status: 422, title: "The trainer is not a member" },
  no_successor: { status: 422, title: "Nobody can take over the clients of the trainer" },
  member_id_missing: { status: 422, title: "The event names no member" },
  member_is_trainer: { status: 422, title: "A member cannot be their own trainer" },
  precondition_required: { status: 428, title: "The header If-Match is required" },
  rate_limited: { status: 429, title: "The caller has reached the request limit" },
  internal_error: { status: 500, title: "An unexpected error occurred" },
  database_busy: { status: 503, title: "The database is busy", retryAfterSeconds: 1 },
  too_many_streams: { status: 503, title: "Too many streams are open", retryAfterSeconds: 5 },
  database_unavailable: { status: 503, title: "The database is unavailable", retryAfterSeconds: 5 },
  members_unfit: {
    status: 503,
    title: "The table members takes no members from the service",
    retryAfterSeconds: 60,
  },
  rows_hidden: {
    status: 503,
    title: "Row-level security hides rows from the service",
    retryAfterSeconds: 60,
  },
  request_timeout: { status: 504, title: "The request timed out" },
  identity_provider_unavailable: {
    status: 503,
    title: "The identity provider is unavailable",
    retryAfterSeconds: 5,
  },
};

/** An error answer. Throw it anywhere below the router: `onError` writes it as problem details. */
export class Problem extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly extra: {
      headers?: Record<string, string>;
      /** Pointers into `{body, header, path, query}`. */
      errors?: InputError[];
      members?: Record<string, unknown>;
      /** Who lacks which role, for the audit log. */
      refusal?: Refusal;
      /** Logs the detail too, as this event: for what an operator may have to fix. */
      logEvent?: string;
    } = {},
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/**
 * Looks up a code's status and title. A trainer in the path is a resource: 404 when they are not a member. A trainer
 * in a body or a query is a value that cannot be processed: 422.
 * @param path the route's template.
 */
export function describeProblem(code: ProblemCode, path: string) {
  const { status, title, retryAfterSeconds } = PROBLEMS[code];
  const inPath = code === "trainer_not_found" && /[:{]trainerId\b/.test(path);
  return { status: inPath ? 404 as const : status, title, retryAfterSeconds };
}

/** Makes the members of a problem document (RFC 9457) in the order in which people read them. */
export function problemDocument(code: ProblemCode, path: string, detail: string, requestId: string) {
  const { status, title } = describeProblem(code, path);
  return { type: `urn:problem-type:trainer-assignment:${code}`, title, status, detail, code, requestId };
}

/** Writes a problem as `application/problem+json`. */
export function problemResponse(c: Context<AppEnv>, problem: Problem): Response {
  const path = routePath(c, -1);
  const { status, retryAfterSeconds } = describeProblem(problem.code, path);
  const { errors, members, headers } = problem.extra;
  const document = { ...problemDocument(problem.code, path, problem.detail, c.var.requestId), ...members };
  return c.body(JSON.stringify(errors === undefined ? document : { ...document, errors }), status, {
    ...headers,
    ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
    "Content-Type": "application/problem+json",
  });
}
