import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import postgres from "postgres";
import { POOL_FULL } from "../database/driver/pool.ts";
import { describeTlsError } from "../database/driver/tls.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../telemetry/log.ts";
import type { AppEnv } from "./env.ts";
import { describeProblem, Problem, problemResponse } from "./problems.ts";

/**
 * Turns whatever was thrown into problem details. What is not foreseen becomes a 500 without particulars: the error
 * itself goes to the log alone, for its text may hold SQL, values or addresses.
 */
export function errorHandler(log: Logger): ErrorHandler<AppEnv> {
  return (error, c) => {
    const problem = toProblem(error);
    if (describeProblem(problem.code, "").status >= 500) {
      const level = problem.code === "internal_error" ? "error" : "warn";
      log[level]({ requestId: c.var.requestId, code: problem.code, err: error }, "request failed");
    }
    return problemResponse(c, problem);
  };
}

/** Finds the problem that an error is, as clients are told of it. */
export function toProblem(error: Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof AppError) return fromAppError(error);
  if (error instanceof HTTPException && error.status === 400) {
    return new Problem("invalid_request", "The request could not be read.");
  }
  if (isBrokenBody(error)) return new Problem("invalid_request", "The body broke off.");
  return fromDatabaseError(error) ??
    new Problem("internal_error", "The request id leads to the reason in the service's log.");
}

/**
 * What the runtime throws where a body is read whose sender went away (`Http`: in the middle of a chunk), or did not keep
 * to what it had announced; the latter has no class of its own. Shown by tests/http/odd_requests_test.ts.
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
  if (code === "backfill_active" && typeof details.runId === "string") {
    const { runId } = details;
    return new Problem(code, message, {
      headers: { Location: `/v1/backfills/${runId}` },
      members: { runId },
    });
  }
  return new Problem(code, message);
}

/** Connection errors as postgres.js and the operating system name them. */
const CONNECTION_ERRORS = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
  "CONNECT_WITHOUT_TLS",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/**
 * SQLSTATEs of a server that cannot serve now: connection lost (08), cannot sign in (28), no such database (3D), stopping
 * or starting (57P). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE = /^(08...|28...|3D000|57P..)$/;

/** Of one that cannot do this now: out of resources (53), its disk or files fail it (58), it takes no writes (25006). */
const INCAPABLE = /^(53...|58...|25006)$/;

/** SQLSTATEs that the same request may not meet again: serialization, deadlock, lock not available, canceled. */
const BUSY = /^(40001|40P01|55P03|57014)$/;

function fromDatabaseError(error: Error): Problem | undefined {
  const code = "code" in error ? String(error.code) : "";
  if (code === POOL_FULL || BUSY.test(code)) {
    return new Problem("database_busy", "The database was too busy for this request.");
  }
  if (INCAPABLE.test(code) && !refusesConnections(error)) {
    return new Problem(
      "database_unavailable",
      "The database has no room for this, or takes no changes, at the moment.",
    );
  }
  const isAway = CONNECTION_ERRORS.has(code) || UNAVAILABLE.test(code) || refusesConnections(error) ||
    describeTlsError(error, code) !== null;
  return isAway
    ? new Problem("database_unavailable", "The database cannot be reached at the moment.")
    : undefined;
}

/** A FATAL ends the connection, whatever its code: no right to connect, too many of this role, a database that is closed. */
function refusesConnections(error: Error): boolean {
  return error instanceof postgres.PostgresError && ["FATAL", "PANIC"].includes(error.severity);
}
