import { cancelRun, pauseRun, resumeRun, retryRun } from "../../runs/runs.ts";
import { actorOf, logChange } from "../audit.ts";
import { actorName } from "../identity/auth.ts";
import { addRoute, type Api } from "../route.ts";
import { header, json, Run, RUN_EXAMPLE, RunParams } from "../schemas.ts";

const STEERING = [
  { verb: "pause", steer: pauseRun, summary: "Pause a running backfill", status: "paused" },
  { verb: "resume", steer: resumeRun, summary: "Resume a paused backfill", status: "running" },
  { verb: "cancel", steer: cancelRun, summary: "Cancel a backfill that is not ended", status: "cancelled" },
] as const;

/** Steering of backfill runs; who did it is recorded in the run's history. */
export function addBackfillSteeringRoutes(api: Api): void {
  const { sql, log } = api.services;

  for (const { verb, steer, summary, status } of STEERING) {
    addRoute(api, {
      method: "post",
      path: `/v1/backfills/{id}/${verb}`,
      role: "admin",
      operationId: `${verb}Backfill`,
      summary,
      description: "Effective within one batch.",
      tags: ["Backfills"],
      request: { params: RunParams },
      responses: { 200: { description: "The run.", content: json(Run, { ...RUN_EXAMPLE, status }) } },
      errors: ["run_not_found", "invalid_transition"],
    }, async (c) => {
      const run = await steer(sql, c.req.valid("param").id, actorName(c));
      logChange(log, actorOf(c), `backfill_${verb}_requested`, { runId: run.id });
      return c.json(run, 200);
    });
  }

  addRoute(api, {
    method: "post",
    path: "/v1/backfills/{id}/retry",
    role: "admin",
    operationId: "retryBackfill",
    summary: "Try the failed members of an ended backfill again",
    description: "Starts a run of its own over the members that failed, and answers with that run.",
    tags: ["Backfills"],
    request: { params: RunParams },
    responses: {
      202: {
        description: "Started.",
        headers: { Location: header("The new run's path.") },
        content: json(Run, RUN_EXAMPLE),
      },
    },
    errors: ["run_not_found", "invalid_transition", "backfill_active", "trainer_not_found"],
  }, async (c) => {
    const { id } = c.req.valid("param");
    const run = await retryRun(sql, id, actorName(c));
    logChange(log, actorOf(c), "backfill_retry_requested", { runId: run.id, retryOf: id });
    return c.json(run, 202, { Location: `/v1/backfills/${run.id}` });
  });
}
