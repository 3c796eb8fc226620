import { Counter, Gauge, Registry } from "prom-client";
import type { PoolUse } from "../database/driver/pool.ts";

/** Creates the metrics of this process's pools, by name. Their values are read at each scrape. */
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
  gauge("in_use", "Connections that run a statement or transaction.", ({ inUse }) => inUse);
  gauge("waiting", "Statements and transactions that wait for a connection.", ({ waiting }) => waiting);
  new Counter({
    name: "trainer_assignment_database_pool_refused_total",
    help: "Statements and transactions that got no connection in time.",
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const [pool, use] of Object.entries(pools)) this.inc({ pool }, use().refused);
    },
  });
  return registry;
}
