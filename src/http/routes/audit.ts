import { z } from "@hono/zod-openapi";
import { ACTOR_FORMS } from "../../actor.ts";
import {
  AUDIT_ACTIONS,
  type AuditFilter,
  type AuditLine as AuditLineShape,
  listAuditLines,
  streamAuditLines,
} from "../../history/audit_lines.ts";
import { exportFormat, LIST_TYPES } from "../formats.ts";
import { negotiate } from "../negotiation.ts";
import { PAGE_QUERY, readPage, refusePaging } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { AskedTime, EXAMPLE, Id, json, LINK_HEADER, STORABLE, text, Time, TrainerId } from "../schemas.ts";
import type { TakeSlot } from "../slots.ts";
import { streamRows } from "../streaming.ts";

const MAX_NAME_LENGTH = 1000;

const Name = z.string().min(1, "Must not be empty.").max(MAX_NAME_LENGTH)
  .refine(...STORABLE);
const Action = z.enum(AUDIT_ACTIONS).openapi("AuditAction", { example: "assignment.made" });
const State = z.record(z.string(), z.unknown()).nullable();

/** The query parameters that filter the log. */
const FILTER_QUERY = {
  actor: Name.optional().openapi({ description: "Lines of this actor, exactly as written.", example: "ops" }),
  action: Action.optional(),
  subject: Name.optional().openapi({
    description:
      "Lines that concern it, such as `run:<id>`, `policy:<version>`, `trainer:<id>` or `assignment:<id>`.",
    example: `run:${EXAMPLE.runId}`,
  }),
  memberId: Id.optional().openapi({
    description: "Lines about the member's assignments that still exist, and about the member as a trainer.",
    example: EXAMPLE.memberId,
  }),
  trainerId: TrainerId.optional().openapi({ description: "Lines that concern the trainer." }),
  from: AskedTime.optional().openapi({ description: "Lines from this time on.", example: EXAMPLE.time }),
  to: AskedTime.optional().openapi({ description: "Lines before this time.", example: EXAMPLE.time }),
};

export const AuditLine = z.object(
  {
    id: Id.openapi({ example: EXAMPLE.assignmentId }),
    at: Time,
    actor: z.string().openapi({
      description: `Who did it: ${ACTOR_FORMS}.`,
      example: "ops",
    }),
    databaseRole: z.string().openapi({
      description: "The role of the database session, which no caller can choose.",
      example: "trainer_assignment_service",
    }),
    action: Action,
    subject: z.string().nullable().openapi({
      description: "To what: a kind and an id. Null: nothing in particular.",
      example: `assignment:${EXAMPLE.assignmentId}`,
    }),
    memberId: Id.nullable().openapi({
      description: "If the subject is an assignment that still exists: the client. Else null.",
    }),
    trainerId: TrainerId.nullable().openapi({
      description:
        "If the subject is an assignment that still exists: its trainer, unless deleted. Else null.",
    }),
    trainerIds: z.array(TrainerId).openapi({ description: "The trainers whom it concerns." }),
    before: State.openapi({
      description: "What was before. Null: nothing, or nothing that matters.",
      example: null,
    }),
    after: State.openapi({
      description: "What was then.",
      example: { trainerId: EXAMPLE.trainerId, force: false },
    }),
    requestId: z.string().nullable().openapi({
      description: "The id of the HTTP request, as in its header X-Request-Id and in the service's log.",
      example: EXAMPLE.requestId,
    }),
  } satisfies Record<keyof AuditLineShape, z.ZodType>,
).openapi("AuditLine");

/** The columns of the CSV. */
export const AUDIT_KEYS = Object.keys(AuditLine.shape) as [keyof AuditLineShape, ...(keyof AuditLineShape)[]];

const AuditPage = z.object({ lines: z.array(AuditLine), next: z.string().nullable() }).openapi("AuditPage");

export const LINE_EXAMPLE = {
  id: EXAMPLE.assignmentId,
  at: EXAMPLE.time,
  actor: "ops",
  databaseRole: "trainer_assignment_service",
  action: "assignment.made" as const,
  subject: `assignment:${EXAMPLE.assignmentId}`,
  memberId: EXAMPLE.memberId,
  trainerId: EXAMPLE.trainerId,
  trainerIds: [EXAMPLE.trainerId],
  before: null,
  after: { trainerId: EXAMPLE.trainerId, force: false },
  requestId: EXAMPLE.requestId,
};

/** The audit log: list and download. */
export function addAuditRoutes(api: Api, takeExportSlot: TakeSlot): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "get",
    path: "/v1/audit",
    role: "viewer",
    operationId: "listAuditLines",
    summary: "List who did what and when, newest first",
    description:
      "Returns the lines of the audit log: each change of policy, trainers, runs and webhooks, assignments made or ended by " +
      "hand, messages sent again or as a test, retries of all failures, changes past the service, sign-ins and sign-outs, tokens " +
      "refused by role, and the deletion of old lines. Assignments by a trigger, a program or a run are not lines: the " +
      "assignments themselves tell. Returns JSON in pages. With `Accept: application/x-ndjson` or " +
      "`text/csv` all lines that match are streamed; at most 8 downloads run at once per replica.",
    tags: ["History"],
    request: { query: z.strictObject({ ...FILTER_QUERY, ...PAGE_QUERY }) },
    responses: {
      200: {
        description: "The lines.",
        headers: LINK_HEADER,
        content: {
          ...json(AuditPage, { lines: [LINE_EXAMPLE], next: null }),
          "application/x-ndjson": text(JSON.stringify(LINE_EXAMPLE) + "\n"),
          "text/csv": text(
            `${AUDIT_KEYS.join(",")}\r\n${EXAMPLE.assignmentId},${EXAMPLE.time},ops,service,run.paused,` +
              `run:${EXAMPLE.runId},,,[],"{""status"":""running""}","{""status"":""paused""}",${EXAMPLE.requestId}\r\n`,
          ),
        },
      },
    },
    errors: ["invalid_cursor", "not_acceptable", "too_many_streams"],
  }, async (c) => {
    const { limit, cursor, ...asked } = c.req.valid("query");
    const filter = toFilter(asked);
    const format = exportFormat(negotiate(c, LIST_TYPES), AUDIT_KEYS);
    if (format !== undefined) {
      refusePaging(c);
      const chunks = streamAuditLines(sql, filter);
      return streamRows(c, { chunks, format, filename: "audit", takeSlot: takeExportSlot, log });
    }
    const { rows, next } = await readPage(c, {
      list: `audit/${JSON.stringify(Object.entries(asked).sort())}`,
      limit,
      cursor,
      read: (page) => listAuditLines(sql, filter, page),
      idOf: ({ id }) => id,
    });
    return c.json({ lines: rows, next }, 200);
  });
}

type AskedFilter = Omit<AuditFilter, "from" | "to"> & { from?: string | undefined; to?: string | undefined };

function toFilter({ from, to, ...asked }: AskedFilter): AuditFilter {
  return { ...asked, ...(from && { from: new Date(from) }), ...(to && { to: new Date(to) }) };
}
