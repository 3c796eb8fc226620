import type { Sql } from "../database/sql.ts";
import { delay } from "../deadline.ts";
import { AppError } from "../errors.ts";
import { type Logger, silentLogger } from "../telemetry/log.ts";
import { DEFAULT_DRIVE_OPTIONS, type DriveOptions, driveRun } from "./drive.ts";
import { hasEnded, type Run, type RunError } from "./progress.ts";
import { getRun, listRunErrors, startBackfill } from "./runs.ts";

export interface BackfillOptions
  extends Partial<Pick<DriveOptions, "lanes" | "maxReplicaLagMs" | "restRatio">> {
  /** By default the policy in force decides. */
  trainerId?: string;
  dryRun?: boolean;
  /** Who started the run, for its record; `program` by default. */
  requestedBy?: string;
  /** Called with the run about once a second, and at its end. */
  onProgress?: (run: Run) => void;
  /** Stops driving within a batch. The run keeps its state: pause it, cancel it, or call again to continue. */
  signal?: AbortSignal;
  log?: Logger;
}

export interface BackfillResult {
  total: number;
  successful: number;
  skipped: number;
  failed: number;
  /** By member id; a run records at most 10,000. */
  errors: RunError[];
}

const PROGRESS_EVERY_MS = 1000;

/**
 * Assigns every member whom the policy gives a trainer they do not have; to one trainer if one is named. Without rules
 * that is everybody without an active assignment to the default trainer. If such a run is under way, for example by the
 * service, this call joins it; a dry run joins only a dry run. While the run is paused, it waits.
 * @throws {AppError} `trainer_not_found`; `backfill_active` when the run under way is of the other kind;
 * `run_cancelled` when the run is cancelled. Throws the signal's reason when the signal is given.
 */
export async function backfillExistingUsers(
  sql: Sql,
  options: BackfillOptions = {},
): Promise<BackfillResult> {
  const run = await followRun(sql, (await startOrJoin(sql, options)).run, options);
  if (run.status === "cancelled") {
    throw new AppError("run_cancelled", `run ${run.id} was cancelled`, { runId: run.id });
  }
  const errors = await listRunErrors(sql, run.id, { limit: 10_000 });
  return { total: run.total, successful: run.successful, skipped: run.skipped, failed: run.failed, errors };
}

/** Drives a run until it has ended, and reports its progress. Returns the ended run; throws the signal's reason. */
export async function followRun(sql: Sql, run: Run, options: BackfillOptions): Promise<Run> {
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
        drive.log.warn({ event: "backfill_progress_unknown", runId: run.id, reason: String(error) });
      }
      await delay(PROGRESS_EVERY_MS, signal);
    }
  }
}

/** Starts a run for the trainer or by the policy, or returns the one that is under way (`joined`). */
export async function startOrJoin(
  sql: Sql,
  { trainerId, dryRun, requestedBy = "program" }: BackfillOptions,
): Promise<{ run: Run; joined: boolean }> {
  try {
    return { run: await startBackfill(sql, { trainerId, dryRun, requestedBy }), joined: false };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "backfill_active") throw error;
    const run = await getRun(sql, String(error.details["runId"]));
    if (run.dryRun !== (dryRun ?? false)) throw error;
    return { run, joined: true };
  }
}
