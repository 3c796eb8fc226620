import { Counter, Gauge, Registry } from "prom-client";
import { FALLBACKS } from "../database/read_fallbacks.ts";
import type { ReplicaState } from "../database/read_replica.ts";

/** Makes the metrics of a replica to read from, read when they are asked for; without values where there is none. */
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
    "1 while checks and lists are read from the replica; 0: from the primary.",
    ({ isUsed }) => isUsed ? 1 : 0,
  );
  gauge(
    "lag_seconds",
    "How old at most what the replica shows is; absent while unknown.",
    ({ lagMs }) => lagMs === null ? null : lagMs / 1000,
  );
  new Counter({
    name: "trainer_assignment_read_fallbacks_total",
    help: "Reads from the primary that the replica should have served, by why it did not.",
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
