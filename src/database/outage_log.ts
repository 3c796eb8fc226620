import { databaseErrorKind } from "./error_kinds.ts";
import type { Logger } from "../telemetry/log.ts";

/** A lasting outage is logged once a minute. */
const REMIND_MS = 60_000;
/** For this long after the database is back, older statements may still fail. */
const LATE_MS = 5_000;
/** For this long after the database is lost, older statements may still succeed. */
const UNDER_WAY_MS = 1_000;

/** The log line of a failure. Lines that differ in any field are logged, and end, apart from each other. */
export interface FailureLine {
  event: string;
  [name: string]: unknown;
}

/**
 * Logs an outage of the database: one line when it begins, one per minute, and one when it ends, however many
 * requests and loops fail meanwhile.
 */
export interface OutageLog {
  /**
   * Counts an error as part of an outage.
   * @returns false if it is not part of one: the caller logs it.
   */
  covers(error: unknown): boolean;
  /**
   * Logs the error of a loop that keeps trying: as part of an outage, or else with the line when it is new, and
   * once a minute.
   */
  failed(error: unknown, line: FailureLine): void;
  /**
   * Ends the outage, unless it has only begun, after a success of the loop that fails with this line. Its next failure
   * counts as new.
   */
  succeeded(line?: FailureLine): void;
  /** Whether the database is known to be away. */
  isAway(): boolean;
}

/** Creates the outage log of a process. @param now a monotonic clock, in milliseconds */
export function createOutageLog(log: Logger, now: () => number = () => performance.now()): OutageLog {
  let outage: { since: number; toldAt: number; failures: number } | undefined;
  let backAt = -Infinity;
  const repeated = new Map<string, { reason: string; toldAt: number }>();

  return { covers, failed, succeeded, isAway: () => outage !== undefined };

  function covers(error: unknown): boolean {
    const kind = databaseErrorKind(error);
    // During an outage, requests that wait for a connection in vain fail as busy.
    if (kind !== "away" && !(kind === "busy" && outage !== undefined)) return false;
    if (outage === undefined) lose(error);
    else remind(outage);
    return true;
  }

  function lose(error: unknown): void {
    if (now() - backAt < LATE_MS) return;
    outage = { since: now(), toldAt: now(), failures: 1 };
    log.warn({ event: "database_lost", reason: String(error) });
  }

  function remind(current: NonNullable<typeof outage>): void {
    current.failures += 1;
    if (now() - current.toldAt < REMIND_MS) return;
    current.toldAt = now();
    log.warn({ event: "database_away", seconds: seconds(current.since), failures: current.failures });
  }

  function failed(error: unknown, line: FailureLine): void {
    if (covers(error)) return;
    const reason = String(error);
    const key = JSON.stringify(line);
    const last = repeated.get(key);
    if (last?.reason === reason && now() - last.toldAt < REMIND_MS) return;
    repeated.set(key, { reason, toldAt: now() });
    log.warn({ ...line, reason });
  }

  function succeeded(line?: FailureLine): void {
    if (line !== undefined && repeated.delete(JSON.stringify(line))) {
      log.info({ ...line, event: "works_again", after: line.event });
    }
    if (outage === undefined || now() - outage.since < UNDER_WAY_MS) return;
    log.info({ event: "database_back", seconds: seconds(outage.since), failures: outage.failures });
    outage = undefined;
    backAt = now();
  }

  function seconds(since: number): number {
    return Math.round((now() - since) / 1000);
  }
}
