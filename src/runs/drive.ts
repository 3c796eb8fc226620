import { isDeepStrictEqual } from "node:util";
import { countDefaultLanes } from "../config/lanes.ts";
import { errorCode } from "../errors.ts";
import { delay } from "../deadline.ts";
import { isOutage } from "../database/error_kinds.ts";
import type { Sql } from "../database/sql.ts";
import type { OutageLog } from "../database/outage_log.ts";
import type { Logger } from "../telemetry/log.ts";
import {
  findPressure,
  type Pressure,
  previewRun,
  recordPressure,
  recordStepFailure,
  type Step,
  stepRun,
} from "./steps.ts";
import type { Run } from "./progress.ts";
import { traceSteps } from "./step_spans.ts";

/** How one process drives runs. */
export interface DriveOptions {
  /** How many steps run at once in this process. */
  lanes: number;
  /** A run waits while a replica's lag is higher than this. */
  maxReplicaLagMs: number;
  /** The rest after each batch, as a fraction of the batch's time. */
  restRatio: number;
  /**
   * Pauses the run after this many consecutive failures. Simultaneous ones count once; that the database or a node of it is
   * away, read-only, or out of disk, memory or connections does not count.
   */
  maxTries: number;
  log: Logger;
  /** Logs outages of the database; without it each failed step is logged. */
  outageLog?: OutageLog;
  signal: AbortSignal;
}

/** The defaults of the command line, of programs and of the service. */
export const DEFAULT_DRIVE_OPTIONS = {
  lanes: countDefaultLanes(),
  maxReplicaLagMs: 10_000,
  restRatio: 0,
  maxTries: 10,
};

const PROBE_EVERY_MS = 1000;
const BUSY_WAIT_MS = 200;
const BACKOFF_MS = { first: 250, longest: 30_000 };

/**
 * Steps a run until it ends, is paused, or the signal is given; then returns within a batch. Never throws:
 * failed steps are tried again, and after too many the run is paused with the reason. It waits without limit
 * for a database that is away or out of disk, memory or connections. The run's state is in the database alone,
 * so any number of processes may drive a run.
 * @returns whether this call did the step that ended the run
 */
export async function driveRun(
  sql: Sql,
  run: Pick<Run, "id" | "kind" | "dryRun">,
  options: DriveOptions,
): Promise<boolean> {
  let didFinish = false;
  const about = { runId: run.id, kind: run.kind };
  const end = new AbortController(); // wakes the other lanes when one finds that the run has ended
  const signal = AbortSignal.any([options.signal, end.signal]);
  const neighbour = watchPressure(sql, run, options);
  const step = run.dryRun ? previewRun : stepRun;
  const takeStep = await traceSteps(sql, run.id, () => step(sql, run.id));
  await Promise.all(Array.from({ length: options.lanes }, () => driveLane(takeStep, neighbour)));
  return didFinish;

  async function driveLane(takeStep: () => Promise<Step>, mayStep: () => Promise<boolean>): Promise<void> {
    let tries = 0;
    while (!signal.aborted) {
      try {
        if (!await mayStep()) {
          await delay(PROBE_EVERY_MS, signal);
          continue;
        }
        const began = performance.now();
        const { work } = await takeStep();
        if (work !== "busy") tries = 0; // "busy" says nothing about whether this lane's trouble is over
        if (work === "finished") didFinish = true;
        if (work === "finished" || work === "stopped") {
          end.abort();
          return;
        }
        const restMs = work === "busy" ? BUSY_WAIT_MS : (performance.now() - began) * options.restRatio;
        if (restMs > 0) await delay(restMs, signal);
      } catch (error) {
        tries += 1;
        await copeWith(error, tries);
      }
    }
  }

  async function copeWith(error: unknown, tries: number): Promise<void> {
    const { code, message } = describeError(error);
    if (!options.outageLog?.covers(error)) {
      options.log.warn({ event: "backfill_step_failed", ...about, code, tries, reason: message });
    }
    try {
      const noted = await recordStepFailure(sql, run.id, { code, message }, {
        ownTries: tries,
        maxTries: isOutage(error) ? null : options.maxTries,
      });
      if (noted.paused) {
        options.log.error({ event: "backfill_paused_itself", ...about, code, reason: message });
      }
    } catch (notNoted) {
      // The failure cannot be recorded while the database is away. The next try goes on.
      if (!options.outageLog?.covers(notNoted)) {
        options.log.warn({
          event: "backfill_trouble_not_noted",
          ...about,
          reason: describeError(notNoted).message,
        });
      }
    }
    const ceilingMs = Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** Math.min(tries, 20));
    await delay(ceilingMs * (0.5 + Math.random() / 2), signal);
  }
}

/**
 * Makes a check for all lanes whether they may step: at most once a second it runs the probes, and records
 * their result.
 */
function watchPressure(
  sql: Sql,
  { id, kind }: Pick<Run, "id" | "kind">,
  options: DriveOptions,
): () => Promise<boolean> {
  let nextProbeAt = 0;
  let answer = Promise.resolve(true);
  let recorded: Pressure | undefined;
  return () => {
    if (performance.now() >= nextProbeAt) {
      nextProbeAt = performance.now() + PROBE_EVERY_MS;
      answer = probe();
    }
    return answer;
  };

  async function probe(): Promise<boolean> {
    const pressure = await findPressure(sql, options.maxReplicaLagMs);
    const { throttleBecause, replicaLag, lockWaiters } = pressure;
    if (!isDeepStrictEqual(pressure, recorded)) await recordPressure(sql, id, pressure);
    const wasThrottled = (recorded?.throttleBecause ?? null) !== null;
    if (wasThrottled !== (throttleBecause !== null)) { // not for each change of the lag
      const event = throttleBecause === null ? "backfill_unthrottled" : "backfill_throttled";
      options.log.info({ event, runId: id, kind, reason: throttleBecause, replicaLag, lockWaiters });
    }
    recorded = pressure;
    return throttleBecause === null;
  }
}

function describeError(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "unknown", message: String(error) };
  return { code: errorCode(error) || error.name, message: error.message };
}
