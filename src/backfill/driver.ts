import type { Sql } from "../database/connection.ts";
import { delay } from "../delay.ts";
import { type DriveOptions, driveRun } from "./drive.ts";
import { getRun, listRunningIds } from "./runs.ts";

const pollMs = 1000;

/**
 * Drives whatever run is running, whoever started it, until the signal is given; then returns within a batch.
 * Logs how each run that it drove ended.
 */
export async function driveRuns(sql: Sql, options: DriveOptions): Promise<void> {
  const driven = new Map<string, Promise<void>>();
  while (!options.signal.aborted) {
    try {
      for (const id of await listRunningIds(sql)) {
        if (!driven.has(id)) driven.set(id, drive(id).finally(() => driven.delete(id)));
      }
    } catch (error) {
      options.log.warn({ event: "backfill_poll_failed", reason: String(error) });
    }
    await delay(pollMs, options.signal);
  }
  await Promise.all(driven.values());

  async function drive(id: string): Promise<void> {
    try {
      const run = await getRun(sql, id);
      const { trainerId, requestedBy, dryRun, total } = run;
      options.log.info({ event: "backfill_driving", runId: id, trainerId, requestedBy, dryRun, total });
      await driveRun(sql, run, options);
      const { status, processed, successful, skipped, failed, remaining } = await getRun(sql, id);
      options.log.info({
        event: "backfill_left",
        runId: id,
        status,
        processed,
        successful,
        skipped,
        failed,
        remaining,
      });
    } catch (error) {
      options.log.warn({ event: "backfill_drive_failed", runId: id, reason: String(error) });
    }
  }
}
