import { Cron } from "croner";
import type { Sql } from "../database/connection.ts";
import { delay } from "../delay.ts";
import type { Logger } from "../log.ts";

const longestWaitMs = 60_000;
const retryAfterMs = 10_000;

/**
 * Starts a run at each slot of a schedule (cron, UTC), unless one is under way; of many replicas exactly one does so.
 * A slot at which the database is away is tried again until the next; one at which no replica runs is passed over.
 * Returns when the signal is given.
 */
export async function reconcileOnSchedule(
  sql: Sql,
  pattern: string,
  options: { log: Logger; signal: AbortSignal },
): Promise<void> {
  const cron = new Cron(pattern, { timezone: "UTC", paused: true });
  let slot = cron.nextRun();
  while (slot && !options.signal.aborted) {
    const waitMs = slot.getTime() - Date.now();
    if (waitMs > 0) {
      await delay(Math.min(waitMs, longestWaitMs), options.signal);
      continue;
    }
    try {
      const runId = await reconcile(sql, slot);
      if (runId) options.log.info({ event: "reconciliation_started", runId, slot });
      slot = cron.nextRun(slot);
    } catch (error) {
      options.log.error({ event: "reconciliation_not_started", slot, reason: String(error) });
      await delay(retryAfterMs, options.signal);
    }
    while (slot && (cron.nextRun(slot)?.getTime() ?? Infinity) <= Date.now()) slot = cron.nextRun(slot);
  }
}

/** Claims a slot and starts its run. Returns the run's id; null when the slot is claimed already, or a run under way. */
export async function reconcile(sql: Sql, slot: Date): Promise<string | null> {
  const [row] = await sql<[{ runId: string | null }]>`select assignment.reconcile(${slot}) as run_id`;
  return row.runId;
}
