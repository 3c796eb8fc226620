import { type By, toActor } from "../actor.ts";
import type { Sql } from "../database/sql.ts";

/** An auto-assignment that did not succeed and waits for a retry. */
export interface Failure {
  memberId: string;
  /** The trainer of the last attempt; null: the policy was to choose one, or has none. A retry goes to who was asked for, or else asks the policy again. */
  trainerId: string | null;
  sqlstate: string;
  message: string;
  source: string;
  attempts: number;
  firstFailedAt: Date;
  lastFailedAt: Date;
  nextAttemptAt: Date;
}

/** What became of failures that were retried. Members who are assigned by now, or deleted, count as succeeded. */
export interface RetryResult {
  retried: number;
  succeeded: number;
  failed: number;
}

const BATCH_ROWS = 500;
const DUE_ROWS = 20_000;
/** Shorter than the first wait of a failure that fails again: each is tried once. */
const LONGEST_RETRY_MS = 5000;

/** Lists failures by member id; `after` is the last member id already seen. */
export async function listFailures(
  sql: Sql,
  page: { limit: number; after?: string | undefined },
): Promise<Failure[]> {
  const failures = await sql<Failure[]>`
    select member_id, trainer_id, sqlstate, message, source, attempts, first_failed_at, last_failed_at, next_attempt_at
    from assignment.failures
    ${page.after === undefined ? sql`` : sql`where member_id > ${page.after}`}
    order by member_id
    limit ${page.limit}
  `;
  return [...failures];
}

/**
 * Retries up to 500 failures whose time has come; several callers at once share them. They are of one trainer: nothing is
 * left when none was retried, not when fewer than 500 were.
 * @param onFailed hears of those that failed again
 */
export async function retryDueFailures(
  sql: Sql,
  onFailed?: (failures: Failure[]) => void,
): Promise<RetryResult> {
  const [{ failedIds, ...result }] = await sql<[RetryResult & { failedIds: string[] }]>`
    select retried, succeeded, failed, failed_ids
    from assignment.retry_failures(${BATCH_ROWS})
  `;
  if (onFailed && failedIds.length > 0) onFailed(await listFailuresOf(sql, failedIds));
  return result;
}

/** Takes up to 500 failures that no log has told of; of several callers one gets each. */
export async function claimNewFailures(sql: Sql): Promise<Failure[]> {
  const failures = await sql<Failure[]>`
    select member_id, trainer_id, sqlstate, message, source, attempts, first_failed_at, last_failed_at, next_attempt_at
    from assignment.claim_new_failures(${BATCH_ROWS})
    order by member_id
  `;
  return [...failures];
}

async function listFailuresOf(sql: Sql, memberIds: string[]): Promise<Failure[]> {
  const failures = await sql<Failure[]>`
    select member_id, trainer_id, sqlstate, message, source, attempts, first_failed_at, last_failed_at, next_attempt_at
    from assignment.failures
    where member_id = any (${memberIds}::uuid[])
    order by member_id
  `;
  return [...failures];
}

/**
 * Retries all failures that there are now, due or not, each once; takes about five seconds at most.
 * All of them are due first, so that the background work goes on with what remains then.
 * @param options.by who asks for it; the audit log tells so
 * @param options.onFailed hears of those that failed again, batch by batch
 * @returns what became of them, and how many are still due.
 */
export async function retryFailures(
  sql: Sql,
  { by, forMs = LONGEST_RETRY_MS, onFailed }: {
    by?: By | undefined;
    forMs?: number;
    onFailed?: (failures: Failure[]) => void;
  } = {},
): Promise<RetryResult & { remaining: number }> {
  const until = performance.now() + forMs;
  while (await makeFailuresDue(sql, by) === DUE_ROWS && performance.now() < until);

  const sum = { retried: 0, succeeded: 0, failed: 0 };
  for (;;) {
    const { retried, succeeded, failed } = await retryDueFailures(sql, onFailed);
    if (retried === 0) return { ...sum, remaining: 0 };
    sum.retried += retried;
    sum.succeeded += succeeded;
    sum.failed += failed;
    if (performance.now() >= until) return { ...sum, remaining: await countDueFailures(sql) };
  }
}

async function makeFailuresDue(sql: Sql, by: By | undefined): Promise<number> {
  const { actor = null, requestId = null } = by === undefined ? {} : toActor(by);
  const [row] = await sql<
    [{ madeDue: number }]
  >`select assignment.make_failures_due(${DUE_ROWS}, ${actor}, ${requestId}) as made_due`;
  return row.madeDue;
}

async function countDueFailures(sql: Sql): Promise<number> {
  const [row] = await sql<[{ due: number }]>`
    select count(*) as due from assignment.failures where next_attempt_at <= now()
  `;
  return row.due;
}
