import { Counter, Gauge, Registry } from "prom-client";
import type { PoolUse } from "../database/driver/pool.ts";

/** Makes the metrics of how the pools of this process are used, by the pool's name; read when they are asked for. */
export function createPoolMetrics(pools: Readonly<Record<string, () => PoolUse>>): Registry {
  const registry = new Registry();
  const labelNames = ["pool"];
  const registers = [registry];
  const gauge = (name: string, help: string, read: (use: PoolUse) => number) =>
    new Gauge({
      name: `trainer_assignment_database_pool_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        for (const [pool, use] of Object.entries(pools)) this.set({ pool }, read(use()));
      },
    });
  gauge("size", "The most connections that this replica opens.", ({ size }) => size);
  gauge("in_use", "Connections that are at work for a statement or transaction.", ({ inUse }) => inUse);
  gauge("waiting", "Statements and transactions that wait for a connection.", ({ waiting }) => waiting);
  new Counter({
    name: "trainer_assignment_database_pool_refused_total",
    help: "Those that waited in vain.",
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const [pool, use] of Object.entries(pools)) this.inc({ pool }, use().refused);
    },
  });
  return registry;
}
