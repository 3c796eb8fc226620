import postgres from "postgres";
import { errorCode } from "../errors.ts";
import { POOL_FULL } from "./driver/pool.ts";
import { describeTlsError } from "./driver/tls.ts";

/**
 * What a database error means for the caller:
 * - `away`: the database cannot be reached, or refuses the sign-in.
 * - `incapable`: it is out of resources, or takes no writes.
 * - `unfit`: a table, function or privilege that the service needs is missing.
 * - `busy`: the same request may succeed in a moment.
 */
export type DatabaseErrorKind = "away" | "incapable" | "unfit" | "busy";

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
 * SQLSTATEs of a server that cannot be used now: connection lost (08), sign-in refused (28), no such database
 * (3D), stopping or starting (57P). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const AWAY = /^(08...|28...|3D000|57P..)$/;

/**
 * SQLSTATEs of a server that cannot run the statement now: out of resources (53), disk or file errors (58), no
 * writes (25006).
 */
const INCAPABLE = /^(53...|58...|25006)$/;

/**
 * SQLSTATEs of a changed database: no privilege (42501), no such table (42P01), column (42703), function
 * (42883), type or role (42704), constraint to infer (42P10) or schema (3F000); a relation of another kind
 * (42809).
 */
const UNFIT = /^(42501|42P01|42703|42883|42704|42P10|42809|3F000)$/;

/**
 * SQLSTATEs after which the same request may succeed: serialization failure, deadlock, lock not available,
 * canceled.
 */
const BUSY = /^(40001|40P01|55P03|57014)$/;

/** SQLSTATE of a statement that took longer than its time limit, or that somebody canceled. */
export const CANCELED = "57014";

/** Returns what an error means; undefined if the request or this program is at fault, not the database. */
export function databaseErrorKind(error: unknown): DatabaseErrorKind | undefined {
  const code = errorCode(error);
  if (code === POOL_FULL || BUSY.test(code)) return "busy";
  if (refusesConnections(error) || losesNode(error)) return "away";
  if (INCAPABLE.test(code)) return "incapable";
  if (UNFIT.test(code)) return "unfit";
  const isAway = CONNECTION_ERRORS.has(code) || AWAY.test(code) ||
    (error instanceof Error && describeTlsError(error, code) !== null);
  return isAway ? "away" : undefined;
}

/** Tells whether the database, or a node of it, cannot be used at all now: whoever asks is not at fault, and may wait. */
export function isOutage(error: unknown): boolean {
  const kind = databaseErrorKind(error);
  return kind === "away" || kind === "incapable";
}

/** What Citus, and libpq in it, says as an internal error when it loses a node in the middle of a statement or of a commit. */
const LOST_NODE = new RegExp(
  "^(failure on connection marked as essential|failed to COPY to shard|SSL SYSCALL error|connection not open" +
    "|server closed the connection unexpectedly|could not receive data from server|could not send data to server)",
);

/** Tells whether a cluster lost a node meanwhile; whether it has committed is not known then. */
export function losesNode(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "XX000" && LOST_NODE.test(error.message);
}

/**
 * Tells whether the error ends the connection (FATAL): no privilege to connect, too many connections, a closed
 * database.
 */
function refusesConnections(error: unknown): boolean {
  return error instanceof postgres.PostgresError && ["FATAL", "PANIC"].includes(error.severity);
}
