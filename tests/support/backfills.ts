import type { Sql } from "../../src/database/sql.ts";
import { DEFAULT_DRIVE_OPTIONS, type DriveOptions, driveRun } from "../../src/runs/drive.ts";
import type { Run } from "../../src/runs/progress.ts";
import { getRun, startBackfill } from "../../src/runs/runs.ts";
import { silentLogger } from "../../src/telemetry/log.ts";

/** Options for driving a run in a test; the signal is never given. */
export function driveOptions(options: Partial<DriveOptions> = {}): DriveOptions {
  return {
    ...DEFAULT_DRIVE_OPTIONS,
    lanes: 2,
    log: silentLogger,
    signal: new AbortController().signal,
    ...options,
  };
}

/** Starts a run and drives it to its end. */
export async function runBackfill(
  sql: Sql,
  request: { trainerId?: string; dryRun?: boolean; batchRows?: number } = {},
): Promise<Run> {
  const run = await startBackfill(sql, { requestedBy: "test", ...request });
  return await driveToEnd(sql, run);
}

/** Drives a run until it is no longer running. */
export async function driveToEnd(sql: Sql, run: Run, options: Partial<DriveOptions> = {}): Promise<Run> {
  await driveRun(sql, run, driveOptions(options));
  return await getRun(sql, run.id);
}

/** Members with an active assignment to the default trainer. */
export async function countAssigned(sql: Sql): Promise<number> {
  const [row] = await sql<[{ assigned: number }]>`
    select count(distinct a.client_id) as assigned
    from public.trainer_client_assignments a
    join assignment.settings s on s.default_trainer_id = a.trainer_id
    where a.status = 'active'
  `;
  return row.assigned;
}

/** Rows that carry the run's id: what `successful` must say. */
export async function countRowsOf(sql: Sql, run: Run): Promise<number> {
  const [row] = await sql<[{ rows: number }]>`
    select count(*) as rows
    from public.trainer_client_assignments
    where backfill_run_id = ${run.id}
  `;
  return row.rows;
}
