import { Gauge, Registry } from "prom-client";
import { inTime } from "../deadline.ts";
import type { Sql } from "../database/sql.ts";
import { isTime } from "../times.ts";
import { type OperationalState, readOperationalState } from "./operational_state.ts";

/** A look at the database may be this old. Replicas and scrapers are many, and the look is not free. */
const GOOD_FOR_MS = 5000;
const TIMEOUT_MS = 3000;

/**
 * Makes what tells the metrics of the database's state, which every replica tells alike. However often it is asked, the
 * database is, at most every five seconds. While that does not answer, `trainer_assignment_database_up` is 0 and the
 * others are left out, for nothing is known of them.
 */
export function createStateMetrics(sql: Sql): () => Promise<string> {
  const gauges = createGauges();
  let text: Promise<string> | undefined;
  let goodUntil = 0;

  return function readStateMetrics() {
    if (text === undefined || performance.now() >= goodUntil) {
      goodUntil = Infinity; // until it is there, all share it
      text = read().finally(() => goodUntil = performance.now() + GOOD_FOR_MS);
    }
    return text;
  };

  async function read(): Promise<string> {
    try {
      gauges.set(await inTime(readOperationalState(sql), TIMEOUT_MS, () => new Error("timeout")));
    } catch {
      gauges.setUnknown(); // why is /readyz's to tell
    }
    return await gauges.registry.metrics();
  }
}

function createGauges() {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `trainer_assignment_${name}`, help, labelNames, registers: [registry] });
  const up = gauge("database_up", "1 when the database answers this replica, else 0.");
  const connections = gauge("database_connections", "Open connections, of all replicas.", ["state"]);
  const trigger = gauge("trigger_enabled", "1 while new members are assigned; 0: disabled or missing.");
  const failures = gauge(
    "failures_pending",
    "Auto-assignments that wait for a retry, counted up to 10,001.",
  );
  const oldest = gauge("oldest_failure_age_seconds", "How long the oldest of them waits; 0 when none does.");
  const reconciled = gauge(
    "last_reconciliation_timestamp_seconds",
    "When a slot of the schedule was claimed last; absent before the first.",
  );
  const runs = gauge("backfill_runs", "Runs that have not ended.", ["status"]);
  const throttled = gauge("backfill_throttled_runs", "Running ones that wait for a replica or for locks.");
  const total = gauge("backfill_members", "Members of a run that has not ended.", ["trainer_id"]);
  const processed = gauge("backfill_members_processed", "Those of them that it is done with, by outcome.", [
    "trainer_id",
    "outcome",
  ]);

  return {
    registry,
    set(state: OperationalState): void {
      forget();
      up.set(1);
      connections.set({ state: "active" }, state.connections.active);
      connections.set({ state: "idle" }, state.connections.idle);
      connections.set({ state: "idle_in_transaction" }, state.connections.inTransaction);
      trigger.set(state.isTriggerEnabled ? 1 : 0);
      failures.set(state.failures);
      const { oldestFailureAt, reconciledAt } = state;
      oldest.set(
        oldestFailureAt && isTime(oldestFailureAt) ? (Date.now() - oldestFailureAt.getTime()) / 1000 : 0,
      );
      if (reconciledAt && isTime(reconciledAt)) reconciled.set(reconciledAt.getTime() / 1000);
      for (const status of ["running", "paused"]) {
        runs.set({ status }, state.runs.filter((run) => run.status === status).length);
      }
      throttled.set(state.runs.filter((run) => run.isThrottled).length);
      for (const { trainerId: trainer_id, ...run } of state.runs) {
        total.set({ trainer_id }, run.total);
        for (const outcome of ["successful", "skipped", "failed"] as const) {
          processed.set({ trainer_id, outcome }, run[outcome]);
        }
      }
    },
    setUnknown(): void {
      forget();
      up.set(0);
    },
  };

  /** A gauge without labels is put to 0 by its reset; removed, it is left out. */
  function forget(): void {
    for (const each of [trigger, failures, oldest, reconciled, throttled]) each.remove();
    for (const each of [connections, runs, total, processed]) each.reset();
  }
}
