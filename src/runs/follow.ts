import type { Sql } from "../database/sql.ts";
import { delay } from "../deadline.ts";
import { AppError } from "../errors.ts";
import { type Logger, silentLogger } from "../telemetry/log.ts";
import { DEFAULT_DRIVE_OPTIONS, type DriveOptions, driveRun } from "./drive.ts";
import { hasEnded, type Run, type RunError } from "./progress.ts";
import { listRunErrors } from "./run_members.ts";
import { getRun } from "./runs.ts";

/** How a program drives a run to its end. */
export interface FollowOptions
  extends Partial<Pick<DriveOptions, "lanes" | "maxReplicaLagMs" | "restRatio">> {
  /** Called with the run about once a second, and at its end. */
  onProgress?: (run: Run) => void;
  /** Stops driving within a batch. The run keeps its state: pause it, cancel it, or call again to continue. */
  signal?: AbortSignal;
  log?: Logger;
}

/** What became of the members of a run. */
export interface RunResult {
  total: number;
  successful: number;
  skipped: number;
  failed: number;
  /** By member id; a run records at most 10,000. */
  errors: RunError[];
}

const PROGRESS_EVERY_MS = 1000;

/** Drives a run until it has ended, and reports its progress. Returns the ended run; throws the signal's reason. */
export async function followRun(sql: Sql, run: Run, options: FollowOptions): Promise<Run> {
  const end = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, end.signal]) : end.signal;
  const drive: DriveOptions = {
    lanes: options.lanes ?? DEFAULT_DRIVE_OPTIONS.lanes,
    maxReplicaLagMs: options.maxReplicaLagMs ?? DEFAULT_DRIVE_OPTIONS.maxReplicaLagMs,
    restRatio: options.restRatio ?? DEFAULT_DRIVE_OPTIONS.restRatio,
    maxTries: DEFAULT_DRIVE_OPTIONS.maxTries,
    log: options.log ?? silentLogger,
    signal,
  };
  const reporting = report();
  try {
    let current = run;
    while (!hasEnded(current)) {
      if (current.status === "running") await driveRun(sql, current, drive);
      else await delay(PROGRESS_EVERY_MS, signal);
      options.signal?.throwIfAborted();
      current = await getRun(sql, run.id);
    }
    end.abort();
    await reporting;
    options.onProgress?.(current);
    return current;
  } finally {
    end.abort();
    await reporting;
  }

  async function report(): Promise<void> {
    if (!options.onProgress) return;
    while (!signal.aborted) {
      try {
        options.onProgress(await getRun(sql, run.id));
      } catch (error) {
        drive.log.warn({
          event: "backfill_progress_unknown",
          runId: run.id,
          kind: run.kind,
          reason: String(error),
        });
      }
      await delay(PROGRESS_EVERY_MS, signal);
    }
  }
}

/**
 * Follows a run to its end, and returns its counts and errors.
 * @throws {AppError} `run_cancelled`. Throws the signal's reason when the signal is given.
 */
export async function awaitResult(sql: Sql, run: Run, options: FollowOptions): Promise<RunResult> {
  const { id, status, total, successful, skipped, failed } = await followRun(sql, run, options);
  if (status === "cancelled") throw new AppError("run_cancelled", `run ${id} was cancelled`, { runId: id });
  return { total, successful, skipped, failed, errors: await listRunErrors(sql, id, { limit: 10_000 }) };
}
