import { Counter, Gauge, Registry } from "prom-client";
import { FALLBACKS } from "../database/read_fallbacks.ts";
import type { ReplicaState } from "../database/read_replica.ts";

/**
 * Creates the metrics of the read replica. Their values are read at each scrape; without a replica there are
 * none.
 */
export function createReplicaMetrics(readState?: () => ReplicaState): Registry {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: (state: ReplicaState) => number | null) =>
    new Gauge({
      name: `trainer_assignment_read_replica_${name}`,
      help,
      registers,
      collect() {
        const value = readState === undefined ? null : read(readState());
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  gauge(
    "used",
    "1 while checks and lists are read from the replica, 0 while from the primary.",
    ({ isUsed }) => isUsed ? 1 : 0,
  );
  gauge(
    "lag_seconds",
    "Upper bound of the replica's lag; absent while unknown.",
    ({ lagMs }) => lagMs === null ? null : lagMs / 1000,
  );
  new Counter({
    name: "trainer_assignment_read_fallbacks_total",
    help: "Reads that the primary served in place of the replica, by reason.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      if (readState === undefined) return;
      const { fallbacks } = readState();
      for (const reason of FALLBACKS) this.inc({ reason }, fallbacks.get(reason) ?? 0);
    },
  });
  return registry;
}
