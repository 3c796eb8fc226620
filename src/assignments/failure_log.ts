import { errorCode } from "../errors.ts";
import type { Sql } from "../database/sql.ts";
import { claimNewFailures, type Failure } from "./failures.ts";
import { createOutageLog, type OutageLog } from "../database/outage_log.ts";
import type { Logger } from "../telemetry/log.ts";

const LONGEST_LOOK_MS = 1000;
const NOT_LOGGED = { event: "failures_not_logged" };

/**
 * Logs who could not be assigned since any replica looked last, each once: most failed in the trigger, where no service
 * was. For about a second at most; call it again where it was not done.
 * @returns whether nobody is left.
 */
export async function logNewFailures(
  sql: Sql,
  log: Logger,
  outageLog: OutageLog = createOutageLog(log),
): Promise<boolean> {
  const until = performance.now() + LONGEST_LOOK_MS;
  try {
    do {
      const failures = await claimNewFailures(sql);
      outageLog.succeeded(NOT_LOGGED);
      if (failures.length === 0) return true;
      logFailures(log, failures);
    } while (performance.now() < until);
    return false;
  } catch (error) {
    if (!isNotAllowed(error)) throw error;
    outageLog.failed(error, NOT_LOGGED);
    return true; // a retry is worth more than its line
  }
}

/** Class 42: the function is not there, or not granted, for a release was installed but for its last step. */
function isNotAllowed(error: unknown): boolean {
  return /^42...$/.test(errorCode(error));
}

/** Logs members whose retry failed as well. */
export function logFailedRetries(log: Logger, failures: readonly Failure[]): void {
  logFailures(log, failures.map((failure) => ({ ...failure, source: "retry" })));
}

function logFailures(log: Logger, failures: readonly Failure[]): void {
  for (const { source, memberId, trainerId, sqlstate: code, message: reason, attempts } of failures) {
    log.warn({ event: "assignment_failed", source, memberId, trainerId, code, reason, attempts });
  }
}
