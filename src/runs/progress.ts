import type { Condition } from "../policy/condition.ts";

/** The states of a run; the last three are final. */
export type RunStatus = "running" | "paused" | "cancelled" | "succeeded" | "completed_with_errors";

/** A backfill passes over all members, a transfer over the clients of one trainer. */
export type RunKind = "backfill" | "transfer";

/** A member that a run failed to assign. */
export interface RunError {
  memberId: string;
  /** The SQLSTATE. */
  code: string;
  message: string;
}

/** How many members a rule of the policy gave to a trainer; in a dry run, would give. */
export interface RunChoice {
  /** The rule's position in the policy, from 1; null: the default trainer. */
  rule: number | null;
  ruleName: string | null;
  trainerId: string;
  members: number;
}

/** A change of a run's status. */
export interface RunEvent {
  at: Date;
  /** The name of the token, `service` or `schedule`. */
  actor: string;
  from: RunStatus | null;
  to: RunStatus;
  reason: string | null;
}

interface Kinds {
  id: string;
  optionalId: string | null;
  kind: RunKind;
  status: RunStatus;
  flag: boolean;
  count: number;
  optionalCount: number | null;
  text: string;
  optionalText: string | null;
  time: Date;
  optionalTime: Date | null;
}

/**
 * The fields of a run, each a column of `assignment.backfill_progress`. The query and the type are derived from
 * them; the compiler compares the API's schema with them.
 */
export const RUN_FIELDS = {
  id: "id",
  kind: "kind",
  /** Of a transfer: the trainer whose clients it moves. */
  fromTrainerId: "optionalId",
  /** Null: the policy decides. */
  trainerId: "optionalId",
  /** The version of the policy that the run follows; null if the trainer was named. */
  policyVersion: "optionalCount",
  status: "status",
  dryRun: "flag",
  /** Also replaces what the policy chose and would no longer choose. */
  reassign: "flag",
  /** Of a transfer: moves the clients that its start named, and no others. */
  onlySelected: "flag",
  /** Of a transfer: the notes of the new assignments; null: those of the ended ones. */
  notes: "optionalText",
  /** Rows per batch if fixed; null if adapted. */
  batchRows: "optionalCount",
  /** The run whose failed members this one retries. */
  retryOf: "optionalId",
  requestedBy: "text",
  requestedAt: "time",
  startedAt: "optionalTime",
  finishedAt: "optionalTime",
  /** Never below `processed`; an estimate above a million members, exact at the end. */
  total: "count",
  totalIsEstimate: "flag",
  /** successful + skipped + failed, in every snapshot. */
  processed: "count",
  successful: "count",
  skipped: "count",
  failed: "count",
  /**
   * Counted at the end: members left unassigned and not recorded as failed. Null until then, and for cancelled
   * runs.
   */
  remaining: "optionalCount",
  /** Over the last 60 s while running, over the whole run when it has ended; null while measuring. */
  ratePerSecond: "optionalCount",
  /** Null while measuring, paused or throttled, and when the run has ended. */
  etaSeconds: "optionalCount",
  pauseReason: "optionalText",
  throttledBecause: "optionalText",
} as const satisfies Record<string, keyof Kinds>;

/** Why members were skipped; each is a column too. */
export const SKIP_REASONS = {
  alreadyAssigned: "count",
  ended: "count",
  isTrainer: "count",
  memberGone: "count",
  excluded: "count",
  notSelected: "count",
} as const satisfies Record<string, keyof Kinds>;

/**
 * The latest results of the probes: a figure, `none`, or `unavailable` without the privilege; null before the
 * first look.
 */
export const PROBES = {
  replicaLag: "optionalText",
  lockWaiters: "optionalText",
} as const satisfies Record<string, keyof Kinds>;

/** The type of the values of such fields. */
export type Values<Fields extends Record<string, keyof Kinds>> = {
  -readonly [Key in keyof Fields]: Kinds[Fields[Key]];
};

/** The state of a backfill run, as the API, the event stream, the admin page and the command line show it. */
export interface Run extends Values<typeof RUN_FIELDS> {
  skippedBecause: Values<typeof SKIP_REASONS>;
  probes: Values<typeof PROBES>;
  /** Of a transfer: moves only clients who match it; null: all. */
  condition: Condition | null;
  /** The 1,000 largest, by rule, the default trainer last; empty unless the policy has to choose. */
  choices: RunChoice[];
  /** The first 20, by member id. */
  errors: RunError[];
  /** Oldest first. */
  history: RunEvent[];
}

/** Tells whether a run is in a final state. */
export function hasEnded(run: Pick<Run, "status">): boolean {
  return run.status !== "running" && run.status !== "paused";
}
