import type { Sql } from "../database/sql.ts";
import { delay } from "../deadline.ts";
import { type DriveOptions, driveRun } from "./drive.ts";
import { createOutageLog } from "../database/outage_log.ts";
import type { Run } from "./progress.ts";
import { listRunErrors } from "./run_members.ts";
import { getRun, listRunning } from "./runs.ts";

const POLL_MS = 250;
const ERROR_PAGE = 1000;
const POLL_FAILED = { event: "backfill_poll_failed" };

/**
 * Drives all running runs, whoever started them, until the signal is given; then returns within a batch. Logs
 * the end or the state of each run, and the failed members of the runs that it finished.
 */
export async function driveRuns(sql: Sql, options: DriveOptions): Promise<void> {
  const { outageLog = createOutageLog(options.log) } = options;
  const driven = new Map<string, Promise<void>>();
  while (!options.signal.aborted) {
    try {
      const running = await listRunning(sql);
      outageLog.succeeded(POLL_FAILED);
      for (const each of running) {
        if (driven.has(each.id)) continue;
        driven.set(each.id, drive(each).finally(() => driven.delete(each.id)));
      }
    } catch (error) {
      outageLog.failed(error, POLL_FAILED);
    }
    await delay(POLL_MS, options.signal);
  }
  await Promise.all(driven.values());

  async function drive({ id, kind }: Pick<Run, "id" | "kind">): Promise<void> {
    const failed = { event: "backfill_drive_failed", runId: id, kind };
    try {
      const run = await getRun(sql, id);
      const { fromTrainerId, trainerId, policyVersion, requestedBy, dryRun, total } = run;
      options.log.info({
        event: "backfill_driving",
        runId: id,
        kind,
        fromTrainerId,
        trainerId,
        policyVersion,
        requestedBy,
        dryRun,
        total,
      });
      const didFinish = await driveRun(sql, run, options);
      const left = summarize(await getRun(sql, id));
      if (didFinish) await logErrors(run);
      options.log.info({ event: didFinish ? "backfill_finished" : "backfill_left", ...left });
      outageLog.succeeded(failed);
    } catch (error) {
      outageLog.failed(error, failed);
    }
  }

  /** Logs the failed members that the run has recorded. Only the process that finished the run does so. */
  async function logErrors({ id, kind }: Run): Promise<void> {
    let after: string | undefined;
    do {
      const errors = await listRunErrors(sql, id, { limit: ERROR_PAGE, after });
      for (const { memberId, code, message } of errors) {
        options.log.warn({
          event: "assignment_failed",
          source: kind,
          runId: id,
          memberId,
          code,
          reason: message,
        });
      }
      after = errors.length < ERROR_PAGE ? undefined : errors.at(-1)?.memberId;
    } while (after !== undefined);
  }
}

function summarize(
  { id, kind, requestedBy, status, processed, successful, skipped, failed, remaining }: Run,
) {
  return { runId: id, kind, requestedBy, status, processed, successful, skipped, failed, remaining };
}
