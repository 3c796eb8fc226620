import { Gauge, Registry } from "prom-client";
import { inTime } from "../deadline.ts";
import type { Sql } from "../database/sql.ts";
import { isTime } from "../times.ts";
import { createWebhookGauges } from "./webhook_metrics.ts";
import { type OperationalState, readOperationalState } from "./operational_state.ts";

/** The database is asked at most once in this time, however many scrapers there are. */
const GOOD_FOR_MS = 5000;
const TIMEOUT_MS = 3000;

/**
 * Creates the metrics of the database's state, which are the same on every replica. They ask the database at
 * most every five seconds. While it does not answer, `trainer_assignment_database_up` is 0 and the other
 * metrics are absent.
 */
export function createStateMetrics(sql: Sql): () => Promise<string> {
  const gauges = createGauges();
  let text: Promise<string> | undefined;
  let goodUntil = 0;

  return function readStateMetrics() {
    if (text === undefined || performance.now() >= goodUntil) {
      goodUntil = Infinity; // all callers share this read until it ends
      text = read().finally(() => goodUntil = performance.now() + GOOD_FOR_MS);
    }
    return text;
  };

  async function read(): Promise<string> {
    try {
      gauges.set(await inTime(readOperationalState(sql), TIMEOUT_MS, () => new Error("timeout")));
    } catch {
      gauges.setUnknown(); // /readyz says why
    }
    return await gauges.registry.metrics();
  }
}

function createGauges() {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `trainer_assignment_${name}`, help, labelNames, registers: [registry] });
  const up = gauge("database_up", "1 while the database answers this replica, else 0.");
  const connections = gauge("database_connections", "Open connections, of all replicas.", ["state"]);
  const trigger = gauge("trigger_enabled", "1 while new members are assigned; 0: disabled or missing.");
  const failures = gauge(
    "failures_pending",
    "Auto-assignments that wait for a retry: for room (no_room) or for another reason, among the first 100,000.",
    ["reason"],
  );
  const oldest = gauge(
    "oldest_failure_age_seconds",
    "How long the oldest of them has waited; 0 if none waits.",
    ["reason"],
  );
  const reconciled = gauge(
    "last_reconciliation_timestamp_seconds",
    "When the latest slot of the schedule was claimed; absent before the first.",
  );
  const repaired = gauge(
    "repaired_seats",
    "Seats of trainers with a capacity that the latest slot of the schedule found out of step and repaired.",
  );
  const runs = gauge("backfill_runs", "Backfills and transfers that have not ended.", ["kind", "status"]);
  const throttled = gauge(
    "backfill_throttled_runs",
    "Running backfills and transfers that wait for a replica or for locks.",
  );
  const total = gauge("backfill_members", "Members of a run that has not ended.", ["kind", "trainer_id"]);
  const processed = gauge("backfill_members_processed", "Members that the run has processed, by outcome.", [
    "kind",
    "trainer_id",
    "outcome",
  ]);

  const webhooks = createWebhookGauges(registry);

  return {
    registry,
    set(state: OperationalState): void {
      clear();
      up.set(1);
      connections.set({ state: "active" }, state.connections.active);
      connections.set({ state: "idle" }, state.connections.idle);
      connections.set({ state: "idle_in_transaction" }, state.connections.inTransaction);
      trigger.set(state.isTriggerEnabled ? 1 : 0);
      failures.set({ reason: "no_room" }, state.failures.noRoom);
      failures.set({ reason: "other" }, state.failures.other);
      oldest.set({ reason: "no_room" }, ageSeconds(state.failures.noRoomSince));
      oldest.set({ reason: "other" }, ageSeconds(state.failures.otherSince));
      const { reconciledAt, repairedSeats } = state;
      if (reconciledAt && isTime(reconciledAt)) reconciled.set(reconciledAt.getTime() / 1000);
      if (repairedSeats !== null) repaired.set(repairedSeats);
      for (const kind of ["backfill", "transfer"]) {
        for (const status of ["running", "paused"]) {
          runs.set(
            { kind, status },
            state.runs.filter((run) => run.kind === kind && run.status === status).length,
          );
        }
      }
      webhooks.set(state);
      throttled.set(state.runs.filter((run) => run.isThrottled).length);
      for (const { kind, trainerId, ...run } of state.runs) {
        const trainer_id = trainerId ?? "policy";
        total.set({ kind, trainer_id }, run.total);
        for (const outcome of ["successful", "skipped", "failed"] as const) {
          processed.set({ kind, trainer_id, outcome }, run[outcome]);
        }
      }
    },
    setUnknown(): void {
      clear();
      up.set(0);
    },
  };

  /** Clears all values. A gauge without labels must be removed: its reset would set it to 0. */
  function clear(): void {
    for (const each of [trigger, reconciled, repaired, throttled]) each.remove();
    webhooks.clear();
    for (const each of [connections, failures, oldest, runs, total, processed]) each.reset();
  }
}

function ageSeconds(since: Date | null): number {
  return since !== null && isTime(since) ? (Date.now() - since.getTime()) / 1000 : 0;
}
