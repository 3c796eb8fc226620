import type { Sql } from "../database/sql.ts";

/**
 * What a step did:
 * - `batch`: processed the next members of a lane.
 * - `swept`: processed members that the closing proof had found.
 * - `busy`: nothing; other steps hold the remaining lanes.
 * - `finished`: ended the run.
 * - `stopped`: nothing; the run is not running.
 */
export interface Step {
  work: "batch" | "swept" | "busy" | "finished" | "stopped";
  members: number;
}

/**
 * Does a run's next piece of work, in one autocommit statement. Any number of callers may step a run at once.
 * After an error the whole batch is undone. After a lost connection it is done or undone as a whole, and the
 * next step continues from there.
 */
export async function stepRun(sql: Sql, runId: string): Promise<Step> {
  const [step] = await sql<[Step]>`
    select work, members
    from assignment.backfill_step(${runId})
  `;
  return step;
}

/** Does a dry run's next piece of work: looks in a READ ONLY transaction, then records what it saw. */
export async function previewRun(sql: Sql, runId: string): Promise<Step> {
  const preview = await sql.begin("read only", async (transaction) => {
    const [row] = await transaction<[{ preview: string | null }]>`
      select assignment.preview_step(${runId})::text as preview
    `;
    return row.preview;
  });
  const [step] = await sql<[Step]>`
    select work, members
    from assignment.record_preview(${runId}, ${preview}::text::jsonb)
  `;
  return step;
}

/**
 * Records a failed step, pauses the run after too many, and halves the batches after a time-out. Lanes that
 * fail at the same time count once.
 * @param error what the step failed with
 * @param tries.maxTries null where the run is not at fault: it goes on by itself later
 * @returns the number of consecutive failures, and whether the run is now paused
 */
export async function recordStepFailure(
  sql: Sql,
  runId: string,
  error: { code: string; message: string },
  { ownTries, maxTries }: { ownTries: number; maxTries: number | null },
): Promise<{ tries: number; paused: boolean }> {
  const [row] = await sql<[{ tries: number; paused: boolean }]>`
    select tries, paused
    from assignment.record_step_failure(${runId}, ${error.code}, ${error.message}, ${maxTries}, ${ownTries})
  `;
  return row;
}

/** What the probes found: a figure, `none`, or `unavailable` without the privilege. */
export interface Pressure {
  /** Why a backfill should wait now; null if it need not. */
  throttleBecause: string | null;
  replicaLag: string;
  lockWaiters: string;
}

/** Probes the lag of replicas, and the sessions that wait for locks on members or assignments. */
export async function findPressure(sql: Sql, maxReplicaLagMs: number): Promise<Pressure> {
  const [pressure] = await sql<[Pressure]>`
    select throttle_because, replica_lag, lock_waiters
    from assignment.find_backfill_pressure(${maxReplicaLagMs})
  `;
  return pressure;
}

/** Records on a run what the probes found, and why it waits, if it does. */
export async function recordPressure(sql: Sql, runId: string, pressure: Pressure): Promise<void> {
  const { throttleBecause, replicaLag, lockWaiters } = pressure;
  await sql`select assignment.throttle_backfill(${runId}, ${throttleBecause}, ${replicaLag}, ${lockWaiters})`;
}
