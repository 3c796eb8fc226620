import type { Sql } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import { currentTraceparent } from "../telemetry/tracing.ts";
import { PROBES, type Run, RUN_FIELDS, type RunError, type RunEvent, SKIP_REASONS } from "./progress.ts";

/** The options of a new run. */
export interface BackfillRequest {
  /** By default the policy in force decides. */
  trainerId?: string | undefined;
  dryRun?: boolean | undefined;
  /** Fixed rows per batch, 1 to 20,000. By default they adapt to the speed of the database. */
  batchRows?: number | undefined;
  requestedBy: string;
}

const COLUMNS = [...Object.keys(RUN_FIELDS), ...Object.keys(SKIP_REASONS), ...Object.keys(PROBES)];

type Row =
  & Omit<Run, "skippedBecause" | "probes" | "history">
  & Run["skippedBecause"]
  & Run["probes"]
  & { history: (Omit<RunEvent, "at"> & { at: string })[] };

/**
 * Starts a run. The driver of any process takes it up.
 * @throws {AppError} `trainer_not_found`, or `backfill_active` with `details.runId` of the run that has not ended, of the
 * trainer or by the policy.
 */
export async function startBackfill(sql: Sql, request: BackfillRequest): Promise<Run> {
  const [row] = await withAppErrors(sql<[{ id: string }]>`
    select assignment.start_backfill(
      ${request.requestedBy},
      ${request.trainerId ?? null},
      ${request.dryRun ?? false},
      ${request.batchRows ?? null},
      p_traceparent => ${currentTraceparent()}
    ) as id
  `);
  return await getRun(sql, row.id);
}

/**
 * Reads the state of a run.
 * @throws {AppError} `run_not_found`
 */
export async function getRun(sql: Sql, id: string): Promise<Run> {
  const [run] = await selectRuns(sql, sql`where p.id = ${id}`);
  if (!run) throw new AppError("run_not_found", `run ${id} does not exist`);
  return run;
}

/** Lists runs, newest first; `after` is the last run id already seen. */
export async function listRuns(
  sql: Sql,
  page: { limit: number; after?: string | undefined },
): Promise<Run[]> {
  return await selectRuns(
    sql,
    sql`
      ${page.after === undefined ? sql`` : sql`where p.id < ${page.after}`}
      order by p.id desc
      limit ${page.limit}
    `,
  );
}

/** Lists the ids of running runs, oldest first. */
export async function listRunningIds(sql: Sql): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id
    from assignment.backfill_runs
    where status = 'running'
    order by id
    limit 100
  `;
  return rows.map((row) => row.id);
}

/**
 * Lists the failed members of a run, by member id. A run records the first 10,000.
 * @throws {AppError} `run_not_found`
 */
export async function listRunErrors(
  sql: Sql,
  id: string,
  page: { limit: number; after?: string | undefined },
): Promise<RunError[]> {
  const errors = await sql<RunError[]>`
    select member_id, sqlstate as code, message
    from assignment.backfill_errors
    where run_id = ${id}
      ${page.after === undefined ? sql`` : sql`and member_id > ${page.after}`}
    order by member_id
    limit ${page.limit}
  `;
  if (errors.length === 0) await getRun(sql, id);
  return [...errors];
}

/** Pauses a running run. @throws {AppError} `run_not_found`, `invalid_transition` */
export async function pauseRun(sql: Sql, id: string, by: string, reason?: string): Promise<Run> {
  return await changeStatus(sql, id, "paused", by, reason);
}

/** Resumes a paused run. @throws {AppError} `run_not_found`, `invalid_transition` */
export async function resumeRun(sql: Sql, id: string, by: string): Promise<Run> {
  return await changeStatus(sql, id, "running", by);
}

/** Cancels a run that has not ended. @throws {AppError} `run_not_found`, `invalid_transition` */
export async function cancelRun(sql: Sql, id: string, by: string): Promise<Run> {
  return await changeStatus(sql, id, "cancelled", by);
}

/**
 * Starts a run over the failed members of an ended run; over all members if more failed than were recorded.
 * @throws {AppError} `run_not_found`, `invalid_transition` (not ended, or nothing failed), `backfill_active`
 */
export async function retryRun(sql: Sql, id: string, by: string): Promise<Run> {
  const [row] = await withAppErrors(
    sql<[{ id: string }]>`select assignment.retry_backfill(${id}, ${by}, ${currentTraceparent()}) as id`,
  );
  return await getRun(sql, row.id);
}

/**
 * Changes the status, and waits for the steps under way, so that the counters are final. No step begins after
 * the change.
 */
async function changeStatus(
  sql: Sql,
  id: string,
  to: Run["status"],
  by: string,
  reason?: string,
): Promise<Run> {
  await withAppErrors(
    sql`select assignment.change_backfill_status(${id}, ${to}, ${by}, ${
      reason ?? null
    }, ${currentTraceparent()})`,
  );
  if (to !== "running") await sql`select assignment.await_lanes(${id})`;
  return await getRun(sql, id);
}

/** Lists the W3C trace contexts of the requests that started a run and last resumed it. */
export async function listRunTraceparents(sql: Sql, id: string): Promise<string[]> {
  const rows = await sql<{ traceparent: string }[]>`
    select traceparent
    from assignment.backfill_runs
    cross join unnest(array[start_traceparent, resume_traceparent]) as traceparent
    where id = ${id}
      and traceparent is not null
  `;
  return rows.map((row) => row.traceparent);
}

async function selectRuns(sql: Sql, which: ReturnType<Sql>): Promise<Run[]> {
  const rows = await sql<Row[]>`
    select
      ${sql(COLUMNS)},
      choices,
      errors.errors,
      history.history
    from assignment.backfill_progress p
    cross join lateral (
      select coalesce(
        jsonb_agg(jsonb_build_object('memberId', member_id, 'code', sqlstate, 'message', message) order by member_id),
        '[]'
      ) as errors
      from (
        select member_id, sqlstate, message
        from assignment.backfill_errors
        where run_id = p.id
        order by member_id
        limit 20
      ) as first_errors
    ) as errors
    cross join lateral (
      select coalesce(
        jsonb_agg(
          jsonb_build_object('at', at, 'actor', actor, 'from', from_status, 'to', to_status, 'reason', reason) order by id
        ),
        '[]'
      ) as history
      from assignment.backfill_events
      where run_id = p.id
    ) as history
    ${which}
  `;
  return rows.map((
    {
      alreadyAssigned,
      ended,
      isTrainer,
      memberGone,
      excluded,
      replicaLag,
      lockWaiters,
      history,
      ratePerSecond,
      ...run
    },
  ) => ({
    ...run,
    ratePerSecond: ratePerSecond === null ? null : Math.round(ratePerSecond * 10) / 10,
    probes: { replicaLag, lockWaiters },
    skippedBecause: { alreadyAssigned, ended, isTrainer, memberGone, excluded },
    history: history.map((event) => ({ ...event, at: new Date(event.at) })),
  }));
}
