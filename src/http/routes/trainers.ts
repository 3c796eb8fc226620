import { z } from "@hono/zod-openapi";
import { streamTrainerClientLines, streamTrainerClients } from "../../assignments/client_export.ts";
import { type Client as ClientRow, CLIENT_KEYS } from "../../assignments/client_columns.ts";
import { assignmentIdOf, type ClientLines, selectClientLines } from "../../assignments/client_lines.ts";
import { getTrainerClients } from "../../assignments/clients.ts";
import { addNames, streamNames } from "../../assignments/named_rows.ts";
import { assignClientToTrainer, endAssignment } from "../../assignments/assign.ts";
import { actorOf, logChange } from "../audit.ts";
import { type ExportFormat, exportFormat, LIST_TYPES, NDJSON } from "../formats.ts";
import { negotiate } from "../negotiation.ts";
import { NAMES_QUERY, ROW_NAMES, wantsNames, withNameColumns } from "../names.ts";
import { PAGE_QUERY, readPage, refusePaging } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import {
  Assignment,
  ASSIGNMENT_EXAMPLE,
  ASSIGNMENT_REASONS,
  AssignmentId,
  EXAMPLE,
  Id,
  json,
  LINK_HEADER,
  MAY_LAG,
  MemberAssignment,
  Notes,
  REASONS_EXAMPLE,
  StoredTime,
  text,
  TrainerId,
} from "../schemas.ts";
import type { TakeSlot } from "../slots.ts";
import { streamRows } from "../streaming.ts";

const Status = z.enum(["active", "inactive"]);
const AskedStatus = z.enum([...Status.options, "all"]).default("active").openapi({
  description:
    "`active`: current clients. `inactive`: assignments that have ended, with `endedAt`. `all`: both.",
});
const CLIENT_LINES: ExportFormat<ClientLines> = { ...NDJSON, write: ({ bytes }) => bytes };

export const Client = z.object(
  {
    clientId: Id,
    assignmentId: AssignmentId,
    assignmentDate: StoredTime,
    status: Status,
    source: Assignment.shape.source,
    ...ASSIGNMENT_REASONS,
    notes: z.string().nullable(),
    ...ROW_NAMES,
  } satisfies Record<keyof ClientRow, z.ZodType>,
).openapi("Client");

const ClientPage = z.object({
  trainerId: TrainerId,
  clients: z.array(Client),
  next: z.string().nullable(),
}).openapi("ClientPage");

const CLIENT_EXAMPLE = {
  clientId: EXAMPLE.memberId,
  assignmentId: EXAMPLE.assignmentId,
  assignmentDate: EXAMPLE.time,
  status: "active" as const,
  source: "trigger",
  ...REASONS_EXAMPLE,
  notes: null,
};

const ASSIGNED_EXAMPLE = {
  memberId: EXAMPLE.memberId,
  trainerId: EXAMPLE.trainerId,
  assigned: true,
  assignment: { ...ASSIGNMENT_EXAMPLE, source: "manual", notes: "by hand" },
};

const AssignRequest = z.strictObject({
  notes: Notes.optional(),
  force: z.boolean().default(false).openapi({
    description: "True: also if the trainer has no room or accepts no clients.",
    example: false,
  }),
}).openapi("AssignRequest");
const ClientParams = z.strictObject({ trainerId: TrainerId, memberId: Id });

/** A trainer's clients: list and download, assign, end. */
export function addTrainerRoutes(api: Api, takeExportSlot: TakeSlot): void {
  const { beginRead } = api;
  const { sql, log } = api.services;

  addRoute(api, {
    method: "get",
    path: "/v1/trainers/{trainerId}/clients",
    role: "service",
    operationId: "listTrainerClients",
    summary: "List a trainer's clients, oldest assignment first",
    description:
      "Returns JSON in pages. With `Accept: application/x-ndjson` or `text/csv` the whole list is streamed; at most 8 " +
      `downloads run at once per replica. ${MAY_LAG}`,
    tags: ["Assignments"],
    request: {
      params: z.strictObject({ trainerId: TrainerId }),
      query: z.strictObject({ status: AskedStatus, ...NAMES_QUERY, ...PAGE_QUERY }),
    },
    responses: {
      200: {
        description: "The clients.",
        headers: LINK_HEADER,
        content: {
          ...json(ClientPage, { trainerId: EXAMPLE.trainerId, clients: [CLIENT_EXAMPLE], next: null }),
          "application/x-ndjson": text(JSON.stringify(CLIENT_EXAMPLE) + "\n"),
          "text/csv": text(`${CLIENT_KEYS.join(",")}\r\n${Object.values(CLIENT_EXAMPLE).join(",")}\r\n`),
        },
      },
    },
    errors: ["trainer_not_found", "invalid_cursor", "not_acceptable", "too_many_streams"],
  }, async (c) => {
    const { trainerId } = c.req.valid("param");
    const { status, limit, cursor, ...query } = c.req.valid("query");
    const isNamed = wantsNames(c, query);
    const format = exportFormat(
      negotiate(c, LIST_TYPES),
      isNamed ? withNameColumns(CLIENT_KEYS) : CLIENT_KEYS,
    );
    if (format !== undefined) {
      refusePaging(c);
      const download = { filename: `clients-${trainerId}`, takeSlot: takeExportSlot, log };
      if (format === NDJSON && !isNamed) {
        const chunks = streamTrainerClientLines(beginRead(), trainerId, status);
        return streamRows(c, { ...download, chunks, format: CLIENT_LINES });
      }
      const chunks = streamTrainerClients(beginRead(), trainerId, status);
      if (!isNamed) return streamRows(c, { ...download, chunks, format });
      return streamRows(c, { ...download, chunks: streamNames(api.services, chunks, "clientId"), format });
    }
    const page = { list: `clients/${trainerId}/${status}`, limit, cursor };
    if (isNamed) {
      const { rows, next } = await readPage(c, {
        ...page,
        read: (page) => beginRead()((sql) => getTrainerClients(sql, trainerId, { ...page, status })),
        idOf: ({ assignmentId }) => assignmentId,
      });
      return c.json({ trainerId, clients: await addNames(api.services, rows, "clientId"), next }, 200);
    }
    const { rows, next } = await readPage(c, {
      ...page,
      read: (page) =>
        beginRead()(async (sql) => toLines(await selectClientLines(sql, trainerId, { ...page, status }))),
      idOf: assignmentIdOf,
    });
    return c.body(
      `{"trainerId":"${trainerId}","clients":[${rows.join(",")}],"next":${JSON.stringify(next)}}`,
      200,
      {
        "Content-Type": "application/json",
      },
    );
  });

  addRoute(api, {
    method: "put",
    path: "/v1/trainers/{trainerId}/clients/{memberId}",
    role: "admin",
    operationId: "assignClient",
    summary: "Assign a member to a trainer",
    description:
      "Idempotent: an existing active assignment stays as it is, its notes included. The member may have other trainers too. " +
      "If the trainer has no room or accepts no clients, the answer is 409 `no_room`; `force` assigns all the same.",
    tags: ["Assignments"],
    request: {
      params: ClientParams,
      body: { content: json(AssignRequest, { notes: "by hand" }) },
    },
    responses: {
      200: {
        description: "The member was already assigned.",
        content: json(MemberAssignment, ASSIGNED_EXAMPLE),
      },
      201: { description: "The member is now assigned.", content: json(MemberAssignment, ASSIGNED_EXAMPLE) },
    },
    errors: ["trainer_not_found", "member_not_found", "member_is_trainer", "no_room", "assignment_failed"],
  }, async (c) => {
    const { trainerId, memberId } = c.req.valid("param");
    const { notes, force } = c.req.valid("json");
    const { assigned, assignment } = await assignClientToTrainer(sql, memberId, {
      ...actorOf(c),
      trainerId,
      notes,
      force,
    });
    if (assigned) {
      logChange(log, actorOf(c), "client_assigned", { memberId, trainerId, ...(force && { force }) });
    }
    return c.json({ memberId, trainerId, assigned: true, assignment }, assigned ? 201 : 200);
  });

  addRoute(api, {
    method: "delete",
    path: "/v1/trainers/{trainerId}/clients/{memberId}",
    role: "admin",
    operationId: "endAssignment",
    summary: "End an assignment",
    description:
      "The assignment becomes inactive and stays in the list of inactive ones. No backfill or retry makes it active again; " +
      "only an admin can assign the member again.",
    tags: ["Assignments"],
    request: { params: ClientParams },
    responses: { 204: { description: "The assignment has ended." } },
    errors: ["assignment_not_found", "assignment_failed"],
  }, async (c) => {
    const { trainerId, memberId } = c.req.valid("param");
    await endAssignment(sql, trainerId, memberId, actorOf(c));
    logChange(log, actorOf(c), "assignment_ended", { memberId, trainerId });
    return c.body(null, 204);
  });
}

function toLines({ bytes }: ClientLines): string[] {
  return new TextDecoder().decode(bytes).split("\n").slice(0, -1);
}
