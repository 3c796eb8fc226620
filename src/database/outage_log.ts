import { databaseErrorKind } from "./error_kinds.ts";
import type { Logger } from "../telemetry/log.ts";

/** A lasting outage is logged once a minute. */
const REMIND_MS = 60_000;
/** Statements under way still fail shortly after the database is back. */
const LATE_MS = 5_000;

/** The log line of a failure. */
export interface FailureLine {
  event: string;
  [name: string]: unknown;
}

/**
 * Logs that the database is away: one line when it is lost, one a minute, one when it is back, however
 * many requests and background loops fail meanwhile.
 */
export interface OutageLog {
  /**
   * Takes the error of a request or of one statement.
   * @returns false where it is no outage: the caller logs it.
   */
  covers(error: unknown): boolean;
  /** Logs the error of a loop that goes on trying: as part of an outage, or its line when it is new and once a minute. */
  failed(error: unknown, line: FailureLine): void;
  /** The loop's work succeeded, so that the database is there, and the next failure is a new one. */
  succeeded(event?: string): void;
  /** Whether the database is known to be away. */
  isAway(): boolean;
}

/** Makes one for a process; all that it logs goes to `log`. @param now milliseconds that only grow */
export function createOutageLog(log: Logger, now: () => number = () => performance.now()): OutageLog {
  let outage: { since: number; toldAt: number; failures: number } | undefined;
  let backAt = -Infinity;
  const repeated = new Map<string, { reason: string; toldAt: number }>();

  return { covers, failed, succeeded, isAway: () => outage !== undefined };

  function covers(error: unknown): boolean {
    const kind = databaseErrorKind(error);
    // Those who wait for a connection while it is away are told that it is busy.
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
    const last = repeated.get(line.event);
    if (last?.reason === reason && now() - last.toldAt < REMIND_MS) return;
    repeated.set(line.event, { reason, toldAt: now() });
    log.warn({ ...line, reason });
  }

  function succeeded(event?: string): void {
    if (event !== undefined && repeated.delete(event)) log.info({ event: "works_again", after: event });
    if (outage === undefined) return;
    log.info({ event: "database_back", seconds: seconds(outage.since), failures: outage.failures });
    outage = undefined;
    backAt = now();
  }

  function seconds(since: number): number {
    return Math.round((now() - since) / 1000);
  }
}
