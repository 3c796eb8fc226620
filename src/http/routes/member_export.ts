import { z } from "@hono/zod-openapi";
import { exportMember } from "../../history/member_export.ts";
import { FAILURE_REASONS } from "../../webhooks/in/take_event.ts";
import type { ExportFormat } from "../formats.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, Id, RunId, StoredTime, TrainerId } from "../schemas.ts";
import type { TakeSlot } from "../slots.ts";
import { streamRows } from "../streaming.ts";
import { AuditLine, LINE_EXAMPLE } from "./audit.ts";
import { AssignmentOfMember, ENTRY_EXAMPLE } from "./member_assignments.ts";
import { Client } from "./trainers.ts";

const PIECES: ExportFormat<string> = {
  contentType: "application/json",
  extension: "json",
  head: "",
  write: (piece) => piece,
};

const MemberExport = z.object({
  memberId: Id,
  columns: z.array(z.string()).openapi({
    description: "The columns of the member's row that the service may read. The table may have others.",
    example: ["id", "email", "display_name"],
  }),
  member: z.record(z.string(), z.unknown()).openapi({
    description: "The member's row, as the application's table has it.",
    example: { id: EXAMPLE.memberId, email: "anna@example.com", display_name: "Anna Berg" },
  }),
  failure: z.object({
    trainerId: TrainerId.nullable(),
    requestedTrainerId: TrainerId.nullable(),
    rule: z.int().nullable(),
    sqlstate: z.string(),
    message: z.string(),
    source: z.string(),
    attempts: z.int(),
    firstFailedAt: StoredTime,
    lastFailedAt: StoredTime,
    nextAttemptAt: StoredTime,
  }).nullable().openapi({ description: "The failed auto-assignment that waits for a retry.", example: null }),
  runErrors: z.array(z.object({ runId: RunId, code: z.string(), message: z.string() })).openapi({
    description: "The runs that could not assign the member, and why.",
  }),
  eventFailures: z.array(
    z.object({
      eventId: z.string(),
      eventType: z.string(),
      reason: z.enum(FAILURE_REASONS),
      detail: z.string(),
      attempts: z.int(),
      firstFailedAt: StoredTime,
      lastFailedAt: StoredTime,
    }),
  ).openapi({ description: "Events of the identity provider that could not be taken." }),
  selectedByRuns: z.array(RunId).openapi({
    description: "The transfers that were asked to move the member by id.",
  }),
  trainerSettings: z.object({
    capacity: z.int().nullable(),
    acceptsClients: z.boolean(),
    note: z.string().nullable(),
    updatedAt: StoredTime,
    updatedBy: z.string().nullable(),
  }).nullable().openapi({ description: "The settings as a trainer." }),
  trainerInRuns: z.array(RunId).openapi({ description: "Runs that gave or took clients." }),
  trainerInPolicyVersions: z.array(z.int()).openapi({
    description: "Versions of the policy that name the trainer.",
  }),
  assignmentsAsClient: z.array(AssignmentOfMember).openapi({ description: "The newest first." }),
  assignmentsAsTrainer: z.array(Client).openapi({
    description: "The oldest first, active and ended. They are about other members, too.",
  }),
  auditLines: z.array(AuditLine).openapi({ description: "What GET /v1/audit finds with `memberId`." }),
}).openapi("MemberExport");

const EXPORT_EXAMPLE: z.input<typeof MemberExport> = {
  memberId: EXAMPLE.memberId,
  columns: ["id", "email", "display_name"],
  member: { id: EXAMPLE.memberId, email: "anna@example.com", display_name: "Anna Berg" },
  failure: null,
  runErrors: [],
  eventFailures: [],
  selectedByRuns: [],
  trainerSettings: null,
  trainerInRuns: [],
  trainerInPolicyVersions: [],
  assignmentsAsClient: [ENTRY_EXAMPLE],
  assignmentsAsTrainer: [],
  auditLines: [LINE_EXAMPLE],
};

/** All that is kept of one member. */
export function addMemberExportRoute(api: Api, takeExportSlot: TakeSlot): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "get",
    path: "/v1/members/{memberId}/export",
    role: "admin",
    operationId: "exportMember",
    summary: "Export all that is kept of one member",
    description:
      "For requests of data protection: the member's row, assignments as client and as trainer, failures, errors of runs, " +
      "settings as a trainer, and lines of the audit log. Streamed, because a trainer may have a million clients; at most 8 " +
      "downloads run at once per replica. Deleting the member deletes all of it, except the bare id of a trainer in policies, " +
      "runs and the audit log.",
    tags: ["History"],
    request: { params: z.strictObject({ memberId: Id }) },
    responses: {
      200: {
        description: "All of it.",
        content: { [PIECES.contentType]: { schema: MemberExport, example: EXPORT_EXAMPLE } }, // streamed as text
      },
    },
    errors: ["member_not_found", "too_many_streams"],
  }, (c) => {
    const { memberId } = c.req.valid("param");
    const chunks = exportMember(sql, memberId);
    return streamRows(c, {
      chunks,
      format: PIECES,
      filename: `member-${memberId}`,
      takeSlot: takeExportSlot,
      log,
    });
  });
}
