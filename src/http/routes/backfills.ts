import { z } from "@hono/zod-openapi";
import { startBackfill } from "../../runs/runs.ts";
import { actorOf, logChange } from "../audit.ts";
import { addRoute, type Api } from "../route.ts";
import { Run } from "../run_schemas.ts";
import { EXAMPLE, header, json, TrainerId } from "../schemas.ts";
import { BACKFILLS, START_FIELDS } from "./run_kinds.ts";

const StartRequest = z.strictObject({
  trainerId: TrainerId.optional().openapi({
    description: "Assign everybody to this trainer. By default the policy in force chooses.",
  }),
  reassign: z.boolean().default(false).openapi({
    description:
      "True: also move members whom the policy, or an earlier version of it, gave a trainer that it would no longer give " +
      "them. What a person assigned stays. Not together with `trainerId`.",
    example: false,
  }),
  ...START_FIELDS,
}).refine(
  ({ trainerId, reassign }) => !(reassign && trainerId !== undefined),
  { path: ["reassign"], message: "Must not be true together with trainerId: only the policy reassigns." },
).openapi("StartBackfillRequest");

/** Starts backfills. */
export function addBackfillRoutes(api: Api): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "post",
    path: BACKFILLS.path,
    role: "admin",
    operationId: "startBackfill",
    summary: "Start a backfill run",
    description:
      "Goes through all members and gives each the trainer that the policy chooses, unless they have or had that trainer. " +
      "The run follows the version of the policy that is in force at its start. With `trainerId` it assigns everybody to " +
      "that trainer, whatever the policy says. Assignments that were ended stay ended, and nobody gets a trainer without " +
      "room. A dry run counts the `choices` that a real run would make. The run works in the background: follow it with " +
      "GET /v1/backfills/{id} or its events. The policy, and each trainer, has at most one run that has not ended; a second " +
      "start gets 409 with the `runId` of the first.",
    tags: [BACKFILLS.tag],
    request: { body: { content: json(StartRequest, { trainerId: EXAMPLE.trainerId, dryRun: true }) } },
    responses: {
      202: {
        description: "The run was started.",
        headers: { Location: header("The path of the run.") },
        content: json(Run, BACKFILLS.example),
      },
    },
    errors: ["backfill_active", "trainer_not_found"],
  }, async (c) => {
    const run = await startBackfill(sql, { ...c.req.valid("json"), requestedBy: actorOf(c) });
    logChange(log, actorOf(c), "backfill_start_requested", { runId: run.id });
    return c.json(run, 202, { Location: `${BACKFILLS.path}/${run.id}` });
  });
}
