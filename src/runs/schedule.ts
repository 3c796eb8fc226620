import { Cron } from "croner";
import { AppError, errorCode } from "../errors.ts";
import type { Sql } from "../database/sql.ts";
import { delay } from "../deadline.ts";
import type { OutageLog } from "../database/outage_log.ts";
import type { Logger } from "../telemetry/log.ts";
import { currentTraceparent, withSpan } from "../telemetry/tracing.ts";

const LONGEST_WAIT_MS = 60_000;
const DEFAULT_RETRY_MS = { first: 10_000, longest: 300_000 };
const RUN_NOT_ENDED = "backfill_active";

/**
 * Starts a run at each slot of a schedule (cron, UTC), unless one is under way. Exactly one of the replicas
 * does so. If no run can be started (for example the database is unreachable, or a run is paused), the slot is
 * tried again with growing delays until the next slot. The first failure is logged, and then each change of the
 * reason. Slots at which no replica runs are skipped. Returns when the signal is given.
 */
export async function reconcileOnSchedule(
  sql: Sql,
  pattern: string,
  options: {
    log: Logger;
    outageLog?: OutageLog;
    signal: AbortSignal;
    retryMs?: { first: number; longest: number };
  },
): Promise<void> {
  const retryMs = options.retryMs ?? DEFAULT_RETRY_MS;
  let failing: { slot: Date; reason: string; tries: number } | undefined;
  const cron = new Cron(pattern, { timezone: "UTC", paused: true });
  let slot = cron.nextRun();
  while (slot && !options.signal.aborted) {
    const waitMs = slot.getTime() - Date.now();
    if (waitMs > 0) {
      await delay(Math.min(waitMs, LONGEST_WAIT_MS), options.signal);
      continue;
    }
    const due = slot;
    try {
      const { runId, repairedSeats, waitsFor, problems } = await withSpan(
        "reconciliation",
        { isRoot: true },
        () => reconcile(sql, due),
      );
      if (repairedSeats > 0) options.log.warn({ event: "seats_repaired", slot: due, seats: repairedSeats });
      for (const reason of problems) {
        options.log.warn({ event: "reconciliation_incomplete", slot: due, reason });
      }
      if (waitsFor) throw new AppError("backfill_active", `run ${waitsFor} has not ended`);
      if (runId) options.log.info({ event: "reconciliation_started", runId, slot: due });
      failing = undefined;
      slot = cron.nextRun(due);
    } catch (error) {
      const reason = String(error);
      const isNew = failing?.slot.getTime() !== due.getTime() || failing.reason !== reason;
      if (!options.outageLog?.covers(error) && isNew) logNotStarted(options.log, due, error);
      const tries = isNew ? 0 : (failing?.tries ?? 0) + 1;
      failing = { slot: due, reason, tries };
      await delay(Math.min(retryMs.longest, retryMs.first * 2 ** Math.min(tries, 20)), options.signal);
    }
    while (slot && (cron.nextRun(slot)?.getTime() ?? Infinity) <= Date.now()) slot = cron.nextRun(slot);
  }
}

/** Logs that a slot's run was not started: as a warning, unless another run of the trainer is the reason. */
function logNotStarted(log: Logger, slot: Date, error: unknown): void {
  const isOverSoon = errorCode(error) === RUN_NOT_ENDED;
  log[isOverSoon ? "info" : "warn"]({ event: "reconciliation_not_started", slot, reason: String(error) });
}

interface Reconciliation {
  runId: string | null;
  repairedSeats: number;
  waitsFor: string | null;
  problems: string[];
}

/**
 * Claims a slot, repairs seats that do not match the trainers' clients, and starts the slot's run.
 * @returns `runId` null if the slot is already claimed or a run is under way; the number of seats that were repaired;
 * `waitsFor`: a run that is paused, a dry run or a retry, and keeps the slot's run from starting; `problems`: what else could
 * not be done, and why.
 */
export async function reconcile(
  sql: Sql,
  slot: Date,
): Promise<Reconciliation> {
  const [row] = await sql<[Reconciliation]>`
    select run_id, coalesce(repaired_seats, 0) as repaired_seats, waits_for, coalesce(problems, '{}') as problems
    from assignment.reconcile(${slot}, ${currentTraceparent()})
  `;
  return row;
}
