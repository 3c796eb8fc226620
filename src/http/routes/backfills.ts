import { z } from "@hono/zod-openapi";
import { getRun, listRuns, startBackfill } from "../../runs/runs.ts";
import { actorOf, logChange } from "../audit.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, header, json, LINK_HEADER, Run, RUN_EXAMPLE, RunParams, TrainerId } from "../schemas.ts";

const StartRequest = z.strictObject({
  trainerId: TrainerId.optional().openapi({
    description: "Assign everybody to this trainer. By default the policy in force chooses.",
  }),
  dryRun: z.boolean().default(false).openapi({
    description: "True: count what would happen and assign nobody.",
    example: true,
  }),
  batchRows: z.int().min(1).max(20_000).optional().openapi({
    description: "Fixed rows per batch. By default they adapt to the speed of the database.",
    example: 1_000,
  }),
}).openapi("StartBackfillRequest");

const RunPage = z.object({ runs: z.array(Run), next: z.string().nullable() }).openapi("RunPage");

/** Backfill runs: start one, list them, look at one. */
export function addBackfillRoutes(api: Api): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "post",
    path: "/v1/backfills",
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
    tags: ["Backfills"],
    request: { body: { content: json(StartRequest, { trainerId: EXAMPLE.trainerId, dryRun: true }) } },
    responses: {
      202: {
        description: "The run was started.",
        headers: { Location: header("The path of the run.") },
        content: json(Run, RUN_EXAMPLE),
      },
    },
    errors: ["backfill_active", "trainer_not_found"],
  }, async (c) => {
    const run = await startBackfill(sql, { ...c.req.valid("json"), requestedBy: actorOf(c) });
    logChange(log, actorOf(c), "backfill_start_requested", { runId: run.id });
    return c.json(run, 202, { Location: `/v1/backfills/${run.id}` });
  });

  addRoute(api, {
    method: "get",
    path: "/v1/backfills",
    role: "viewer",
    operationId: "listBackfills",
    summary: "List backfill runs, newest first",
    description: "Returns all runs, also those of the schedule, in pages.",
    tags: ["Backfills"],
    request: { query: z.strictObject(PAGE_QUERY) },
    responses: {
      200: {
        description: "The runs.",
        headers: LINK_HEADER,
        content: json(RunPage, { runs: [RUN_EXAMPLE], next: null }),
      },
    },
    errors: ["invalid_cursor"],
  }, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, next } = await readPage(c, {
      list: "backfills",
      limit,
      cursor,
      read: (page) => listRuns(sql, page),
      idOf: (run) => run.id,
    });
    return c.json({ runs: rows, next }, 200);
  });

  addRoute(api, {
    method: "get",
    path: "/v1/backfills/{id}",
    role: "viewer",
    operationId: "getBackfill",
    summary: "Get a backfill run",
    description: "Returns the status, exact counters, the first errors and the history of the run.",
    tags: ["Backfills"],
    request: { params: RunParams },
    responses: { 200: { description: "The run.", content: json(Run, RUN_EXAMPLE) } },
    errors: ["run_not_found"],
  }, async (c) => c.json(await getRun(sql, c.req.valid("param").id), 200));
}
