import { type By, toActor } from "../actor.ts";
import type { Sql, SqlOrTransaction } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import { currentTraceparent } from "../telemetry/tracing.ts";
import type { Condition } from "../policy/condition.ts";
import { PROBES, type Run, RUN_FIELDS, type RunEvent, type RunKind, SKIP_REASONS } from "./progress.ts";

/** The options of a new run. */
export interface BackfillRequest {
  /** By default the policy in force decides. */
  trainerId?: string | undefined;
  dryRun?: boolean | undefined;
  /** Fixed rows per batch, 1 to 20,000. By default they adapt to the speed of the database. */
  batchRows?: number | undefined;
  /** Also replaces what the policy chose and would no longer choose. Only by the policy. */
  reassign?: boolean | undefined;
  /** By default the database role. */
  requestedBy: By | undefined;
}

/** How many clients a transfer can be told to move; without a list, all. */
export const MOST_SELECTED = 1_000;

/** The options of a new transfer. `memberIds` and `condition` together: those of the listed who match. */
export interface TransferRequest {
  fromTrainerId: string;
  /** By default the policy in force decides. */
  trainerId?: string | undefined;
  /** Moves these clients only: 1 to {@link MOST_SELECTED}. */
  memberIds?: string[] | undefined;
  /** Moves only clients who match it. */
  condition?: Condition | undefined;
  /** The notes of the new assignments. By default those of the ended ones. */
  notes?: string | undefined;
  dryRun?: boolean | undefined;
  batchRows?: number | undefined;
  /** By default the database role. */
  requestedBy: By | undefined;
}

const COLUMNS = [...Object.keys(RUN_FIELDS), ...Object.keys(SKIP_REASONS), ...Object.keys(PROBES)];

type Row =
  & Omit<Run, "skippedBecause" | "probes" | "history" | "condition">
  & { condition: string | null }
  & Run["skippedBecause"]
  & Run["probes"]
  & { history: (Omit<RunEvent, "at"> & { at: string })[] };

/**
 * Starts a run. The driver of any process takes it up.
 * @throws {AppError} `trainer_not_found`, or `backfill_active` with `details.runId` of the run that has not ended, of the
 * trainer or by the policy.
 */
export async function startBackfill(sql: Sql, request: BackfillRequest): Promise<Run> {
  const by = starterOf(request);
  const [row] = await withAppErrors(sql<[{ id: string }]>`
    select assignment.start_backfill(
      ${by.actor},
      ${request.trainerId ?? null},
      ${request.dryRun ?? false},
      ${request.batchRows ?? null},
      p_traceparent => ${currentTraceparent()},
      p_reassigns => ${request.reassign ?? false},
      p_request_id => ${by.requestId}
    ) as id
  `);
  return await getRun(sql, row.id);
}

/**
 * Starts a run that moves the clients of a trainer. The driver of any process takes it up.
 * @throws {AppError} `trainer_not_found`, `no_successor`, `policy_invalid` for the condition, with `details.pointer`, or
 * `transfer_active` with `details.runId` of the transfer from this trainer that has not ended.
 */
export async function startTransfer(sql: SqlOrTransaction, request: TransferRequest): Promise<Run> {
  const by = starterOf(request);
  const condition = request.condition === undefined ? null : JSON.stringify(request.condition);
  const [row] = await withAppErrors(sql<[{ id: string }]>`
    select assignment.start_transfer(
      ${by.actor},
      ${request.fromTrainerId},
      ${request.trainerId ?? null},
      ${request.memberIds ?? null}::uuid[],
      ${condition}::text::jsonb,
      ${request.notes ?? null},
      ${request.dryRun ?? false},
      ${request.batchRows ?? null},
      ${currentTraceparent()},
      ${by.requestId}
    ) as id
  `);
  return await getRun(sql, row.id);
}

function starterOf({ requestedBy }: BackfillRequest | TransferRequest) {
  return requestedBy === undefined ? { actor: null, requestId: null } : toActor(requestedBy);
}

/**
 * Reads the state of a run, by default of either kind.
 * @throws {AppError} `run_not_found`
 */
export async function getRun(sql: SqlOrTransaction, id: string, kind?: RunKind): Promise<Run> {
  const [run] = await selectRuns(
    sql,
    sql`where p.id = ${id} ${kind === undefined ? sql`` : sql`and p.kind = ${kind}`}`,
  );
  if (!run) throw runNotFound(id, kind);
  return run;
}

/** Checks that there is a run of the kind. @throws {AppError} `run_not_found` */
export async function requireRun(sql: Sql, id: string, kind: RunKind): Promise<void> {
  const runs = await sql`select from assignment.backfill_runs where id = ${id} and kind = ${kind}`;
  if (runs.length === 0) throw runNotFound(id, kind);
}

function runNotFound(id: string, kind: RunKind | "run" = "run"): AppError {
  return new AppError("run_not_found", `${kind} ${id} does not exist`);
}

/** Lists runs, by default of both kinds, newest first; `after` is the last run id already seen. */
export async function listRuns(
  sql: Sql,
  page: { limit: number; after?: string | undefined; kind?: RunKind | undefined },
): Promise<Run[]> {
  return await selectRuns(
    sql,
    sql`
      where true
      ${page.after === undefined ? sql`` : sql`and p.id < ${page.after}`}
      ${page.kind === undefined ? sql`` : sql`and p.kind = ${page.kind}`}
      order by p.id desc
      limit ${page.limit}
    `,
  );
}

/** Lists the running runs, oldest first; 100 at most. */
export async function listRunning(sql: Sql): Promise<Pick<Run, "id" | "kind">[]> {
  return await sql<Pick<Run, "id" | "kind">[]>`
    select id, kind
    from assignment.backfill_runs
    where status = 'running'
    order by id
    limit 100
  `;
}

/** Pauses a running run. @throws {AppError} `run_not_found`, `invalid_transition` */
export async function pauseRun(sql: Sql, id: string, by: By, reason?: string): Promise<Run> {
  return await changeStatus(sql, id, "paused", by, reason);
}

/** Resumes a paused run. @throws {AppError} `run_not_found`, `invalid_transition` */
export async function resumeRun(sql: Sql, id: string, by: By): Promise<Run> {
  return await changeStatus(sql, id, "running", by);
}

/** Cancels a run that has not ended. @throws {AppError} `run_not_found`, `invalid_transition` */
export async function cancelRun(sql: Sql, id: string, by: By): Promise<Run> {
  return await changeStatus(sql, id, "cancelled", by);
}

/**
 * Starts a run over the failed members of an ended run; over all members if more failed than were recorded.
 * @throws {AppError} `run_not_found`, `invalid_transition` (not ended, or nothing failed), and what the start of
 * such a run throws
 */
export async function retryRun(sql: Sql, id: string, by: By): Promise<Run> {
  const { actor, requestId } = toActor(by);
  const [row] = await withAppErrors(sql<[{ id: string }]>`
    select assignment.retry_backfill(${id}, ${actor}, ${currentTraceparent()}, ${requestId}) as id
  `);
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
  by: By,
  reason?: string,
): Promise<Run> {
  const { actor, requestId } = toActor(by);
  await withAppErrors(sql`
    select assignment.change_backfill_status(
      ${id}, ${to}, ${actor}, ${reason ?? null}, ${currentTraceparent()}, ${requestId}
    )
  `);
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

async function selectRuns(sql: SqlOrTransaction, which: ReturnType<Sql>): Promise<Run[]> {
  const rows = await sql<Row[]>`
    select
      ${sql(COLUMNS)},
      condition::text,
      choices,
      assignment.first_errors(p.id) as errors,
      history.history
    from assignment.backfill_progress p
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
      notSelected,
      condition,
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
    skippedBecause: { alreadyAssigned, ended, isTrainer, memberGone, excluded, notSelected },
    condition: condition === null ? null : JSON.parse(condition),
    history: history.map((event) => ({ ...event, at: new Date(event.at) })),
  }));
}
