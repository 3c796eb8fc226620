import { z } from "@hono/zod-openapi";
import { getRun, listRuns, startBackfill } from "../../runs/runs.ts";
import { actorOf, logChange } from "../audit.ts";
import { actorName } from "../identity/auth.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, header, json, LINK_HEADER, Run, RUN_EXAMPLE, RunParams, TrainerId } from "../schemas.ts";

const StartRequest = z.strictObject({
  trainerId: TrainerId.optional(),
  dryRun: z.boolean().default(false).openapi({
    description: "Count what would happen; assign nobody.",
    example: true,
  }),
  batchRows: z.int().min(1).max(20_000).optional().openapi({
    description: "Pins the rows a batch, which otherwise follow how fast the database is.",
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
    description: "For the default trainer when none is named. At most one run that is not ended per trainer.",
    tags: ["Backfills"],
    request: { body: { content: json(StartRequest, { trainerId: EXAMPLE.trainerId, dryRun: true }) } },
    responses: {
      202: {
        description: "Started.",
        headers: { Location: header("The run's path.") },
        content: json(Run, RUN_EXAMPLE),
      },
    },
    errors: ["backfill_active", "trainer_not_found"],
  }, async (c) => {
    const run = await startBackfill(sql, { ...c.req.valid("json"), requestedBy: actorName(c) });
    logChange(log, actorOf(c), "backfill_start_requested", { runId: run.id });
    return c.json(run, 202, { Location: `/v1/backfills/${run.id}` });
  });

  addRoute(api, {
    method: "get",
    path: "/v1/backfills",
    role: "admin",
    operationId: "listBackfills",
    summary: "List backfill runs, newest first",
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
    role: "admin",
    operationId: "getBackfill",
    summary: "Look at a backfill run",
    tags: ["Backfills"],
    request: { params: RunParams },
    responses: { 200: { description: "How it stands.", content: json(Run, RUN_EXAMPLE) } },
    errors: ["run_not_found"],
  }, async (c) => c.json(await getRun(sql, c.req.valid("param").id), 200));
}
