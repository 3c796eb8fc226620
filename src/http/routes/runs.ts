import { z } from "@hono/zod-openapi";
import { getRun, listRuns } from "../../runs/runs.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { Run, RunParams } from "../run_schemas.ts";
import { json, LINK_HEADER } from "../schemas.ts";
import { KINDS_OF_RUNS } from "./run_kinds.ts";

const RunPage = z.object({ runs: z.array(Run), next: z.string().nullable() }).openapi("RunPage");

/** Runs of either kind: list them, look at one. */
export function addRunRoutes(api: Api): void {
  const { sql } = api.services;

  for (const { kind, path, tag, name, example } of KINDS_OF_RUNS) {
    addRoute(api, {
      method: "get",
      path,
      role: "viewer",
      operationId: `list${name}s`,
      summary: `List ${kind} runs, newest first`,
      description: kind === "backfill"
        ? "Returns all backfills, also those of the schedule, in pages of at most 1 MB, whatever `limit` says."
        : "Returns all transfers in pages of at most 1 MB, whatever `limit` says.",
      tags: [tag],
      request: { query: z.strictObject(PAGE_QUERY) },
      responses: {
        200: {
          description: "The runs.",
          headers: LINK_HEADER,
          content: json(RunPage, { runs: [example], next: null }),
        },
      },
      errors: ["invalid_cursor"],
    }, async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const { rows, next } = await readPage(c, {
        list: `${kind}s`,
        limit,
        cursor,
        read: (page) => listRuns(sql, { ...page, kind }),
        idOf: (run) => run.id,
        rowsAreLong: true,
      });
      return c.json({ runs: rows, next }, 200);
    });

    addRoute(api, {
      method: "get",
      path: `${path}/{id}`,
      role: "viewer",
      operationId: `get${name}`,
      summary: `Get a ${kind} run`,
      description: "Returns the status, exact counters, the first errors and the history of the run.",
      tags: [tag],
      request: { params: RunParams },
      responses: { 200: { description: "The run.", content: json(Run, example) } },
      errors: ["run_not_found"],
    }, async (c) => c.json(await getRun(sql, c.req.valid("param").id, kind), 200));
  }
}
