import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { databaseErrorKind } from "../database/error_kinds.ts";
import { AppError } from "../errors.ts";
import type { OutageLog } from "../database/outage_log.ts";
import type { Logger } from "../telemetry/log.ts";
import type { AppEnv } from "./env.ts";
import { describeProblem, Problem, problemResponse } from "./problems.ts";
import { BACKFILLS, TRANSFERS } from "./routes/run_kinds.ts";

/**
 * Turns any error into problem details. An unforeseen error becomes a 500 without details: the error
 * itself is only logged, because its text may hold SQL, values or addresses. A database that is away is logged once.
 */
export function errorHandler(log: Logger, outageLog: OutageLog): ErrorHandler<AppEnv> {
  return (error, c) => {
    const problem = toProblem(error);
    if (describeProblem(problem.code, "").status >= 500 && !outageLog.covers(error)) {
      const level = problem.code === "internal_error" ? "error" : "warn";
      log[level]({ requestId: c.var.requestId, code: problem.code, err: error }, "request failed");
    }
    const { logEvent: event, refusal } = problem.extra;
    if (refusal !== undefined) c.set("refusal", refusal);
    if (event !== undefined) log.warn({ event, requestId: c.var.requestId, reason: problem.detail });
    return problemResponse(c, problem);
  };
}

/** Returns the problem that clients get for an error. */
export function toProblem(error: Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof AppError) return fromAppError(error);
  if (error instanceof HTTPException && error.status === 400) {
    return new Problem("invalid_request", "The request could not be read.");
  }
  if (isBrokenBody(error)) return new Problem("invalid_request", "The body broke off.");
  return fromDatabaseError(error) ??
    new Problem("internal_error", "The service's log has the reason under this request id.");
}

/**
 * Tells whether the caller closed the connection during the body (`Http`: in the middle of a chunk), or sent a
 * body that does not match its headers, for which the runtime has no class. Shown by
 * tests/http/odd_requests_test.ts.
 */
function isBrokenBody(error: Error): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Http ||
    error.message.startsWith("invalid HTTP/1 request");
}

function fromAppError({ code, message, details }: AppError): Problem {
  if (code === "assignment_failed") {
    // The message is the database's own and may quote SQL or values; its class is enough to go on.
    return new Problem(code, "The database refused this assignment.", {
      members: { sqlstate: details.sqlstate },
    });
  }
  if ((code === "backfill_active" || code === "transfer_active") && typeof details.runId === "string") {
    const { runId } = details;
    const { path } = code === "backfill_active" ? BACKFILLS : TRANSFERS;
    return new Problem(code, message, {
      headers: { Location: `${path}/${runId}` },
      members: { runId },
    });
  }
  return new Problem(code, message);
}

function fromDatabaseError(error: Error): Problem | undefined {
  switch (databaseErrorKind(error)) {
    case "away":
      return new Problem("database_unavailable", "The database cannot be reached at the moment.");
    case "incapable":
      return new Problem(
        "database_unavailable",
        "The database has no room, or accepts no changes, at the moment.",
      );
    case "unfit":
      return new Problem(
        "database_unavailable",
        "The service lacks a right in the database, or an object is missing there. See /readyz.",
      );
    case "busy":
      return new Problem("database_busy", "The database was too busy for this request.");
    case undefined:
      return undefined;
  }
}
