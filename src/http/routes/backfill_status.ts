import { cancelRun, pauseRun, resumeRun, retryRun } from "../../runs/runs.ts";
import { actorOf, logChange } from "../audit.ts";
import { addRoute, type Api } from "../route.ts";
import { header, json, Run, RUN_EXAMPLE, RunParams } from "../schemas.ts";

const STATUS_CHANGES = [
  {
    verb: "pause",
    change: pauseRun,
    summary: "Pause a running backfill",
    description: "Once this has answered, no batch of the run is being written.",
    status: "paused",
  },
  {
    verb: "resume",
    change: resumeRun,
    summary: "Resume a paused backfill",
    description: "The run continues where it was paused.",
    status: "running",
  },
  {
    verb: "cancel",
    change: cancelRun,
    summary: "Cancel a backfill that has not ended",
    description:
      "Ends a running or paused run. Members that it has assigned stay assigned. It cannot be resumed.",
    status: "cancelled",
  },
] as const;

/** Changes of a run's status; who did it is recorded in the run's history. */
export function addBackfillStatusRoutes(api: Api): void {
  const { sql, log } = api.services;

  for (const { verb, change, summary, description, status } of STATUS_CHANGES) {
    addRoute(api, {
      method: "post",
      path: `/v1/backfills/{id}/${verb}`,
      role: "admin",
      operationId: `${verb}Backfill`,
      summary,
      description,
      tags: ["Backfills"],
      request: { params: RunParams },
      responses: { 200: { description: "The run.", content: json(Run, { ...RUN_EXAMPLE, status }) } },
      errors: ["run_not_found", "invalid_transition"],
    }, async (c) => {
      const run = await change(sql, c.req.valid("param").id, actorOf(c));
      logChange(log, actorOf(c), `backfill_${verb}_requested`, { runId: run.id });
      return c.json(run, 200);
    });
  }

  addRoute(api, {
    method: "post",
    path: "/v1/backfills/{id}/retry",
    role: "admin",
    operationId: "retryBackfill",
    summary: "Retry the failed members of an ended backfill",
    description: "Starts a new run over the members who failed, and returns the new run.",
    tags: ["Backfills"],
    request: { params: RunParams },
    responses: {
      202: {
        description: "The run was started.",
        headers: { Location: header("The path of the new run.") },
        content: json(Run, RUN_EXAMPLE),
      },
    },
    errors: ["run_not_found", "invalid_transition", "backfill_active", "trainer_not_found"],
  }, async (c) => {
    const { id } = c.req.valid("param");
    const run = await retryRun(sql, id, actorOf(c));
    logChange(log, actorOf(c), "backfill_retry_requested", { runId: run.id, retryOf: id });
    return c.json(run, 202, { Location: `/v1/backfills/${run.id}` });
  });
}
