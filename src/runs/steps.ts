import type { Sql } from "../database/sql.ts";

/**
 * What a step did: `batch`, the next members of a lane; `swept`, stragglers that the closing proof found; `busy`,
 * nothing, for other steps hold the lanes that are left; `finished`, ended the run; `stopped`, nothing, for it does not run.
 */
export interface Step {
  work: "batch" | "swept" | "busy" | "finished" | "stopped";
  members: number;
}

/**
 * Does a run's next piece of work, in one autocommit statement. Any number of callers may do so at once; a caller that dies
 * takes at most its own batch with it. After an error nothing of the batch happened; after a lost connection all of it or
 * nothing, and the next step finds out which.
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
 * Counts a step that failed as a whole, and halves the batches after a time-out. Lanes that fail at the same time count
 * once: `ownTries` is how often in a row the caller's lane has failed. Lack of resources (class 53) pauses nothing.
 * @returns how many failed in a row, and whether that paused the run.
 */
export async function recordStepFailure(
  sql: Sql,
  runId: string,
  error: { code: string; message: string },
  { ownTries, maxTries }: { ownTries: number; maxTries: number },
): Promise<{ tries: number; paused: boolean }> {
  const [row] = await sql<[{ tries: number; paused: boolean }]>`
    select tries, paused
    from assignment.record_step_failure(${runId}, ${error.code}, ${error.message}, ${maxTries}, ${ownTries})
  `;
  return row;
}

/** What the probes of a good neighbour saw: a figure, `none`, or `unavailable` for want of permission. */
export interface Pressure {
  /** Why a backfill should wait now; null when it need not. */
  throttleBecause: string | null;
  replicaLag: string;
  lockWaiters: string;
}

/** Looks at replica lag and at sessions that wait for locks on the two tables. */
export async function findPressure(sql: Sql, maxReplicaLagMs: number): Promise<Pressure> {
  const [pressure] = await sql<[Pressure]>`
    select throttle_because, replica_lag, lock_waiters
    from assignment.find_backfill_pressure(${maxReplicaLagMs})
  `;
  return pressure;
}

/** Records on a run why it waits, or that it does not, and what the probes saw. */
export async function recordPressure(sql: Sql, runId: string, pressure: Pressure): Promise<void> {
  const { throttleBecause, replicaLag, lockWaiters } = pressure;
  await sql`select assignment.throttle_backfill(${runId}, ${throttleBecause}, ${replicaLag}, ${lockWaiters})`;
}
