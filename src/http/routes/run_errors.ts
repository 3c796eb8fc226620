import { z } from "@hono/zod-openapi";
import { addNames, streamNames } from "../../assignments/named_rows.ts";
import { listRunErrors } from "../../runs/run_members.ts";
import { requireRun } from "../../runs/runs.ts";
import type { Sql } from "../../database/sql.ts";
import { exportFormat, LIST_TYPES } from "../formats.ts";
import { negotiate } from "../negotiation.ts";
import { NAMES_QUERY, ROW_NAMES, wantsNames, withNameColumns } from "../names.ts";
import { PAGE_QUERY, readPage, refusePaging } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { RunError, RunParams } from "../run_schemas.ts";
import { EXAMPLE, json, LINK_HEADER, RunId, text } from "../schemas.ts";
import type { TakeSlot } from "../slots.ts";
import { streamRows } from "../streaming.ts";
import { KINDS_OF_RUNS } from "./run_kinds.ts";

export const ERROR_COLUMNS = ["memberId", "code", "message"] as const;
const CHUNK_ROWS = 1_000;

const NamedRunError = RunError.extend(ROW_NAMES).openapi("NamedRunError");

const RunErrorPage = z.object({
  runId: RunId,
  errors: z.array(NamedRunError),
  next: z.string().nullable(),
}).openapi("RunErrorPage");

/** The members that a run could not assign. */
export function addRunErrorRoutes(api: Api, takeExportSlot: TakeSlot): void {
  const { sql, log } = api.services;

  for (const { kind, path, tag, name, example } of KINDS_OF_RUNS) {
    addRoute(api, {
      method: "get",
      path: `${path}/{id}/errors`,
      role: "viewer",
      operationId: `list${name}Errors`,
      summary: `List the members that a ${kind} could not ${kind === "backfill" ? "assign" : "move"}`,
      description: "Returns the failed members with the reason, ordered by member id. JSON is paged. With " +
        "`Accept: text/csv` or `application/x-ndjson` the whole list is streamed. A run keeps its first 10,000 errors; its " +
        "`failed` is exact.",
      tags: [tag],
      request: { params: RunParams, query: z.strictObject({ ...NAMES_QUERY, ...PAGE_QUERY }) },
      responses: {
        200: {
          description: "The failed members.",
          headers: LINK_HEADER,
          content: {
            ...json(RunErrorPage, { runId: EXAMPLE.runId, errors: example.errors, next: null }),
            "application/x-ndjson": text(
              example.errors.map((error) => JSON.stringify(error) + "\n").join(""),
            ),
            "text/csv": text(
              [
                ERROR_COLUMNS,
                ...example.errors.map(({ memberId, code, message }) => [memberId, code, message]),
              ]
                .map((cells) => cells.join(",") + "\r\n").join(""),
            ),
          },
        },
      },
      errors: ["run_not_found", "invalid_cursor", "not_acceptable", "too_many_streams"],
    }, async (c) => {
      const { id } = c.req.valid("param");
      const { limit, cursor, ...query } = c.req.valid("query");
      const isNamed = wantsNames(c, query);
      const format = exportFormat(
        negotiate(c, LIST_TYPES),
        isNamed ? withNameColumns(ERROR_COLUMNS) : ERROR_COLUMNS,
      );
      await requireRun(sql, id, kind);
      if (format !== undefined) {
        refusePaging(c);
        return streamRows(c, {
          chunks: isNamed
            ? streamNames(api.services, readAllErrors(sql, id), "memberId")
            : readAllErrors(sql, id),
          format,
          filename: `${kind}-errors-${id}`,
          takeSlot: takeExportSlot,
          log,
        });
      }
      const { rows, next } = await readPage(c, {
        list: `${kind}-errors/${id}`,
        limit,
        cursor,
        read: (page) => listRunErrors(sql, id, page),
        idOf: (error) => error.memberId,
      });
      const errors = isNamed ? await addNames(api.services, rows, "memberId") : rows;
      return c.json({ runId: id, errors, next }, 200);
    });
  }
}

/** Reads page by page, so that no connection is held while the reader takes their time. */
export async function* readAllErrors(sql: Sql, runId: string) {
  let after: string | undefined;
  do {
    const errors = await listRunErrors(sql, runId, { limit: CHUNK_ROWS, after });
    yield errors;
    after = errors.length === CHUNK_ROWS ? errors.at(-1)?.memberId : undefined;
  } while (after !== undefined);
}
