import { Gauge, Registry } from "prom-client";
import type { CheckHealth } from "./shared_health.ts";

/** A scrape takes what `/readyz` found within this time, before it looks itself. */
const GOOD_FOR_MS = 15_000;

/**
 * Creates the metric of the checks of `/readyz`. While the database does not answer, nothing is known of the
 * checks except `database`, and theirs are absent.
 */
export function createCheckMetrics(checkHealth: CheckHealth): Registry {
  const registry = new Registry();
  new Gauge({
    name: "trainer_assignment_check",
    help: "1 while this check of /readyz is ok, else 0; absent while the database does not answer.",
    labelNames: ["check"],
    registers: [registry],
    async collect() {
      const { status, checks } = await checkHealth(GOOD_FOR_MS);
      this.reset();
      for (const [check, { status: found }] of Object.entries(checks)) {
        if (status === "unavailable" && check !== "database") continue;
        this.set({ check }, found === "ok" ? 1 : 0);
      }
    },
  });
  return registry;
}
