import { z } from "@hono/zod-openapi";
import type { Run as RunShape } from "../runs/progress.ts";
import { isStorable } from "../storable_text.ts";
import { Condition } from "./condition_schema.ts";
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

const Count = z.int().min(0).openapi({ example: 0 });

export const AssignmentId = Id.openapi({ example: EXAMPLE.assignmentId });
export const RunId = Id.openapi({ example: EXAMPLE.runId });
export const RunParams = z.strictObject({ id: RunId });

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
    description:
      "Who assigned: a token's name, `jwt:` and the subject, who started the run, `trigger`, `retry`, `schedule`, or the " +
      "database role of another program.",
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

export const RunError = z.object({
  memberId: Id,
  code: z.string().openapi({ description: "PostgreSQL's SQLSTATE.", example: "23514" }),
  message: z.string().openapi({ example: 'new row violates check constraint "status_is_known"' }),
}).openapi("RunError");

/** A rule of the policy by its position. */
export const RuleNumber = z.int().min(1).nullable().openapi({
  description: "The rule's position in the policy, from 1. Null: the default trainer.",
  example: 2,
});

export const RuleName = z.string().nullable().openapi({
  description: "The name of the rule in that version of the policy. Null: the default trainer.",
  example: "Members in Germany",
});

export const RunStatus = z.enum(["running", "paused", "cancelled", "succeeded", "completed_with_errors"])
  .openapi("RunStatus", { example: "running" });

export const Run = z.object(
  {
    id: RunId,
    kind: z.enum(["backfill", "transfer"]).openapi({
      description: "`backfill` passes over all members, `transfer` over the clients of one trainer.",
      example: "backfill",
    }),
    fromTrainerId: TrainerId.nullable().openapi({
      description: "Of a transfer: the trainer whose clients it moves.",
      example: null,
    }),
    trainerId: TrainerId.nullable().openapi({
      description: "Whom the run assigns to. Null: the policy has to choose for each member.",
    }),
    policyVersion: z.int().min(1).nullable().openapi({
      description:
        "The version of the policy that the run follows from its start to its end. Null if the run was started for a trainer.",
      example: 1,
    }),
    status: RunStatus,
    dryRun: z.boolean().openapi({
      description: "True: the run counts what would happen and assigns nobody.",
      example: false,
    }),
    reassign: z.boolean().openapi({
      description: "True: the run also replaces what the policy chose and would no longer choose.",
      example: false,
    }),
    onlySelected: z.boolean().openapi({
      description: "True: the transfer moves the `memberIds` that it was started with, and no others.",
      example: false,
    }),
    condition: Condition.nullable().openapi({
      description: "Of a transfer: it moves only clients who match it. Null: all.",
      example: null,
    }),
    notes: Notes.nullable().openapi({
      description: "Of a transfer: the notes of the new assignments. Null: those of the ended ones.",
      example: null,
    }),
    requestedBy: z.string().openapi({
      description:
        "Who started the run: a token's name, `jwt:` and the subject, `schedule`, or a program's name.",
      example: "ops",
    }),
    requestedAt: Time,
    startedAt: Time.nullable(),
    finishedAt: Time.nullable(),
    total: Count.openapi({ description: "Members to process. Exact once the run has ended." }),
    totalIsEstimate: z.boolean().openapi({
      description: "True while `total` is an estimate: above a million members.",
    }),
    processed: Count.openapi({ description: "Always `successful` + `skipped` + `failed`." }),
    successful: Count.openapi({
      description: "Members that the run assigned or moved, or in a dry run would.",
    }),
    skipped: Count.openapi({
      description: "Members for whom there was nothing to do; `skippedBecause` has the reasons.",
    }),
    skippedBecause: z.object({
      alreadyAssigned: Count,
      ended: Count,
      isTrainer: Count,
      memberGone: Count,
      excluded: Count,
      notSelected: Count,
    }).openapi({
      description:
        "`ended`: the assignment was ended on purpose. `memberGone`: the member was deleted meanwhile. `excluded`: the " +
        "policy chooses nobody for the member. `notSelected`: the member does not match the transfer's condition, or is " +
        "not a client of the trainer (any more).",
    }),
    failed: Count.openapi({ description: "Members who could not be assigned or moved." }),
    choices: z.array(z.object({
      rule: RuleNumber,
      ruleName: RuleName,
      trainerId: TrainerId,
      members: Count,
    })).openapi({
      description:
        "How many members each rule gave to each trainer, or in a dry run would give: the 1,000 largest. Empty if all members get the same " +
        "trainer (`trainerId`). A rule that chooses `all` counts a member once for each trainer, so the sum can exceed " +
        "`successful`.",
    }),
    remaining: Count.nullable().openapi({
      description:
        "Members whom the run missed: neither assigned, or moved, nor recorded as failed. Counted when it ends. Null before.",
    }),
    ratePerSecond: z.number().nullable().openapi({ description: "Members per second.", example: 52100.5 }),
    etaSeconds: Count.nullable().openapi({
      description: "Seconds until the run ends. Null while it is measured, paused or throttled.",
    }),
    batchRows: z.int().nullable().openapi({
      description: "Fixed rows per batch. Null: adapted to the speed of the database.",
      example: null,
    }),
    retryOf: Id.nullable().openapi({
      description: "The run whose failed members this run retries.",
      example: null,
    }),
    pauseReason: z.string().nullable().openapi({
      description: "The last error, if the run paused itself.",
      example: null,
    }),
    throttledBecause: z.string().nullable().openapi({
      description: "Why the run waits: a standby lags, or sessions wait for locks. Null while it works.",
      example: null,
    }),
    probes: z.object({
      replicaLag: z.string().nullable().openapi({ example: "none" }),
      lockWaiters: z.string().nullable().openapi({ example: "0" }),
    }).openapi({
      description:
        "What the run last measured: a number, `none`, or `unavailable` without the permission to look. Null before the first measurement.",
    }),
    errors: z.array(RunError).openapi({
      description: "The first 20 errors. The operation that lists the run's errors has all.",
    }),
    history: z.array(z.object({
      at: Time,
      actor: z.string(),
      from: z.union([RunStatus, z.null()]),
      to: RunStatus,
      reason: z.string().nullable(),
    })).openapi({ description: "Every change of status, oldest first." }),
  } satisfies Record<keyof RunShape, z.ZodType>,
).openapi("Run");

export const RUN_EXAMPLE: z.input<typeof Run> = {
  id: EXAMPLE.runId,
  kind: "backfill",
  fromTrainerId: null,
  trainerId: null,
  policyVersion: 7,
  status: "running",
  dryRun: false,
  reassign: false,
  onlySelected: false,
  condition: null,
  notes: null,
  requestedBy: "ops",
  requestedAt: EXAMPLE.time,
  startedAt: EXAMPLE.time,
  finishedAt: null,
  total: 150_000,
  totalIsEstimate: false,
  processed: 60_000,
  successful: 48_000,
  skipped: 11_999,
  skippedBecause: {
    alreadyAssigned: 11_498,
    ended: 0,
    isTrainer: 1,
    memberGone: 0,
    excluded: 500,
    notSelected: 0,
  },
  failed: 1,
  choices: [
    { rule: null, ruleName: null, trainerId: EXAMPLE.trainerId, members: 18_000 },
    { rule: 2, ruleName: "Members in Germany", trainerId: EXAMPLE.otherMemberId, members: 30_000 },
  ],
  remaining: null,
  ratePerSecond: 20_000,
  etaSeconds: 5,
  batchRows: null,
  retryOf: null,
  pauseReason: null,
  throttledBecause: null,
  probes: { replicaLag: "none", lockWaiters: "0" },
  errors: [{ memberId: EXAMPLE.otherMemberId, code: "23514", message: "check constraint violated" }],
  history: [{ at: EXAMPLE.time, actor: "ops", from: null, to: "running", reason: null }],
};

export const TRANSFER_EXAMPLE: typeof RUN_EXAMPLE = {
  ...RUN_EXAMPLE,
  kind: "transfer",
  fromTrainerId: EXAMPLE.trainerId,
  trainerId: EXAMPLE.otherMemberId,
  policyVersion: null,
  total: 48_000,
  processed: 40_001,
  successful: 40_000,
  skipped: 0,
  skippedBecause: { ...RUN_EXAMPLE.skippedBecause, alreadyAssigned: 0, isTrainer: 0, excluded: 0 },
  choices: [],
  etaSeconds: 1,
  errors: [{ memberId: EXAMPLE.memberId, code: "TA011", message: "the trainer has no room" }],
};

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
