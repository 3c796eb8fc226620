import { z } from "@hono/zod-openapi";
import { ACTOR_FORMS } from "../actor.ts";
import { isStorable } from "../storable_text.ts";
import { DEFAULT_TRAINER_ID } from "../assignments/default_trainer.ts";

export const EXAMPLE = {
  trainerId: DEFAULT_TRAINER_ID,
  memberId: "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a",
  otherMemberId: "0195d3a1-6c1f-7c11-8e44-0b9a8d7c6e5f",
  assignmentId: "0195d3a1-6c20-7a3d-b1f2-6d5e4c3b2a19",
  runId: "0195d3a2-0f4b-7e61-a5c3-1a2b3c4d5e6f",
  requestId: "5c0f9d3e-3d1f-4a57-9d7b-6a2f1f0e8c11",
  time: "2026-11-23T09:30:00.000Z",
} as const;

/** Any RFC 9562 UUID, whatever its version and variant bits; lower-cased, as the database writes it. */
export const Id = z.guid("Must be a UUID.").toLowerCase().openapi({ example: EXAMPLE.memberId });
export const TrainerId = Id.openapi({ example: EXAMPLE.trainerId });

/** A trainer to check, or `any`. */
export const AskedTrainerId = z.union([
  z.guid("Must be a UUID, or any.").toLowerCase(),
  z.literal("any"),
]).openapi({
  description:
    "A trainer's id; `any`: an active assignment to anybody counts. By default the default trainer.",
  example: EXAMPLE.trainerId,
});

/** ISO 8601, UTC. */
export const Time = z.iso.datetime().openapi({ example: EXAMPLE.time });

/** A time that somebody asks for. */
export const AskedTime = Time.refine((time) => !time.startsWith("0000"), "Must be from the year 1 to 9999.");

/** Of a row that others may write. */
export const StoredTime = Time.nullable().openapi({
  description: "Null if the database has infinity or a year outside 1 to 9999.",
});

export const AssignmentId = Id.openapi({ example: EXAMPLE.assignmentId });
export const RunId = Id.openapi({ example: EXAMPLE.runId });

/** What a text must be, and what is said of one that is not. */
export const STORABLE = [isStorable, "Must not contain NUL characters or unpaired surrogates."] as const;

/** Free text. */
export const Notes = z.string().max(10_000)
  .refine(...STORABLE)
  .openapi({ description: "Free text.", example: "asked for by the member" });

export const Assignment = z.object({
  id: AssignmentId,
  assignmentDate: StoredTime,
  source: z.string().openapi({
    description:
      "What made the assignment: `trigger`, `retry` (of a failed trigger), `backfill`, `transfer`, `manual` (an admin) or `signup` (a program).",
    example: "trigger",
  }),
  notes: z.string().nullable().openapi({ example: null }),
}).openapi("Assignment");

/** Whether a member is assigned to a trainer, and how. */
export const MemberAssignment = z.object({
  memberId: Id,
  trainerId: z.union([TrainerId, z.literal("any")]).openapi({
    description:
      "The trainer who was checked. If `any` was asked for: the trainer of the assignment, or `any` if there is none.",
    example: EXAMPLE.trainerId,
  }),
  assigned: z.boolean().openapi({ example: true }),
  assignment: z.union([Assignment, z.null()]).openapi({
    description: "The active assignment. Null if there is none.",
  }),
}).openapi("MemberAssignment");

export const ASSIGNMENT_EXAMPLE = {
  id: EXAMPLE.assignmentId,
  assignmentDate: EXAMPLE.time,
  source: "trigger",
  notes: null,
};

/** How an assignment came about and ended, beside {@link Assignment}. */
export const ASSIGNMENT_REASONS = {
  assignedBy: z.string().openapi({
    description: `Who assigned, or started the run that did: ${ACTOR_FORMS}.`,
    example: "trigger",
  }),
  policyVersion: z.int().min(1).nullable().openapi({
    description: "The version of the policy that chose the trainer. Null: the trainer was named.",
    example: 7,
  }),
  rule: z.int().min(1).nullable().openapi({
    description:
      "The rule that chose the trainer, by its position in that version, from 1. Null: the default trainer, or a trainer " +
      "who was named.",
    example: 2,
  }),
  endedAt: Time.nullable().openapi({
    description: "When the assignment ended. Null if it is active, or ended at a time out of range.",
    example: null,
  }),
  endedBy: z.string().nullable().openapi({
    description: "Who ended it, likewise. Null: it is active.",
    example: null,
  }),
  endedBecause: z.string().nullable().openapi({
    description:
      "Why it ended: `manual` (an admin), `transfer`, `reassign` (the policy chose another trainer) or `direct` (past the " +
      "service). Null: it is active.",
    example: null,
  }),
};

export const REASONS_EXAMPLE = {
  assignedBy: "trigger",
  policyVersion: 7,
  rule: 2,
  endedAt: null,
  endedBy: null,
  endedBecause: null,
};

/** A rule of the policy by its position. */
export const RuleNumber = z.int().min(1).nullable().openapi({
  description: "The rule's position in the policy, from 1. Null: the default trainer.",
  example: 2,
});

export const RuleName = z.string().nullable().openapi({
  description: "The name of the rule in that version of the policy. Null: the default trainer.",
  example: "Members in Germany",
});

export const Problem = z.object({
  type: z.string().openapi({ format: "uri" }),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().openapi({ description: "Stable. Programs should branch on it." }),
  requestId: z.string().openapi({ description: "Also in the header X-Request-Id and in the service's log." }),
  errors: z.array(z.object({
    pointer: z.string().openapi({
      description: "JSON Pointer (RFC 6901) into `{body, header, path, query}`.",
      example: "/body/memberIds/3",
    }),
    detail: z.string(),
  })).optional().openapi({ description: "Each error in the input, at most 100." }),
}).loose().openapi("Problem");

/** The content of a JSON body or answer, with an example that its schema has checked at compile time. */
export function json<S extends z.ZodType>(schema: S, example: z.input<S>) {
  return { "application/json": { schema, example } };
}

/** The content of an answer that is text. */
export function text(example: string) {
  return { schema: z.string(), example };
}

/** Documents a header of an answer. */
export function header(description: string) {
  return { schema: { type: "string" as const }, description };
}

/** Of what may be read from a replica of the database. */
export const MAY_LAG =
  "If the service reads from a replica of the database, the answer may lack the changes of the last seconds.";

export const LINK_HEADER = { Link: header('The next page, if there is one: `<…>; rel="next"`.') };
