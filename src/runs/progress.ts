/** The states of a run; the last three are final. */
export type RunStatus = "running" | "paused" | "cancelled" | "succeeded" | "completed_with_errors";

/** A member whom a run could not assign. */
export interface RunError {
  memberId: string;
  /** The SQLSTATE. */
  code: string;
  message: string;
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

/** How a backfill run stands: the one shape behind the API, the event stream, the admin page and the command line. */
export interface Run {
  id: string;
  trainerId: string;
  status: RunStatus;
  dryRun: boolean;
  /** Rows a batch when pinned; null when adapted. */
  batchRows: number | null;
  /** The run whose failed members this one retries. */
  retryOf: string | null;
  requestedBy: string;
  requestedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** Never below `processed`; an estimate above a million members, exact at the end. */
  total: number;
  totalIsEstimate: boolean;
  /** successful + skipped + failed, in every snapshot. */
  processed: number;
  successful: number;
  skipped: number;
  failed: number;
  skippedBecause: { alreadyAssigned: number; ended: number; isTrainer: number; memberGone: number };
  /** The closing proof: members left unassigned and not recorded as failed. Null until the run has ended by itself. */
  remaining: number | null;
  /** Over the last 60 s while running, over the whole run at its end; null while measuring. */
  ratePerSecond: number | null;
  /** Null while measuring, paused or throttled, and at the end. */
  etaSeconds: number | null;
  pauseReason: string | null;
  throttledBecause: string | null;
  /** What the probes saw last: a figure, `none`, or `unavailable` for want of permission; null before the first look. */
  probes: { replicaLag: string | null; lockWaiters: string | null };
  /** The first 20, by member id. */
  errors: RunError[];
  /** Oldest first. */
  history: RunEvent[];
}

/** Tells whether a run has ended, in whatever way. */
export function hasEnded(run: Pick<Run, "status">): boolean {
  return run.status !== "running" && run.status !== "paused";
}
