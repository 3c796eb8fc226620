import { z } from "@hono/zod-openapi";
import { ACTOR_FORMS } from "../actor.ts";
import type { Run as RunShape } from "../runs/progress.ts";
import { Condition } from "./condition_schema.ts";
import { EXAMPLE, Id, Notes, RuleName, RuleNumber, RunId, Time, TrainerId } from "./schemas.ts";

const Count = z.int().min(0).openapi({ example: 0 });

export const RunParams = z.strictObject({ id: RunId });

export const RunError = z.object({
  memberId: Id,
  code: z.string().openapi({
    description: "The SQLSTATE: PostgreSQL's, or one of this service (`TA…`).",
    example: "23514",
  }),
  message: z.string().openapi({ example: 'new row violates check constraint "status_is_known"' }),
}).openapi("RunError");

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
      description: `Who started the run: ${ACTOR_FORMS}.`,
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
      actor: z.string().openapi({ description: "Who changed it, named as in `requestedBy`." }),
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
