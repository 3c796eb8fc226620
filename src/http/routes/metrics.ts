import { z } from "@hono/zod-openapi";
import { createStateMetrics } from "../../operation/state_metrics.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { createCheckMetrics } from "../../operation/check_metrics.ts";
import { createPoolMetrics } from "../../operation/pool_metrics.ts";
import { createReplicaMetrics } from "../../operation/replica_metrics.ts";
import { addRoute, type Api } from "../route.ts";

/** What Prometheus scrapes: this process's counters, and the state of the database. */
export function addMetricsRoutes(api: Api, metrics: Metrics): void {
  const registries = [
    metrics.registry,
    createPoolMetrics(api.services.pools ?? {}),
    createReplicaMetrics(api.services.replica?.state),
    createCheckMetrics(api.checkHealth),
  ];
  const readStateMetrics = createStateMetrics(api.services.watchSql ?? api.services.sql);

  addRoute(api, {
    method: "get",
    path: "/metrics",
    role: "none",
    operationId: "getMetrics",
    summary: "Get the metrics, for Prometheus",
    description:
      "Returns counters of this replica and the state of the database, at most five seconds old; of the checks of " +
      "`/readyz`, at most fifteen. It contains no member, but should not be reachable from the internet.",
    tags: ["Operation"],
    responses: {
      200: {
        description: "The metrics, in Prometheus' text format.",
        content: {
          "text/plain": { schema: z.string(), example: "# TYPE trainer_assignment_database_up gauge\n…" },
        },
      },
    },
    errors: [],
  }, async (c) => {
    const parts = [...registries.map((registry) => registry.metrics()), readStateMetrics()];
    return c.text((await Promise.all(parts)).join("\n"), 200, {
      "Content-Type": metrics.registry.contentType,
    });
  });
}
