import type { Sql } from "./database/connection.ts";

/** An auto-assignment that did not succeed and waits for a retry. */
export interface Failure {
  memberId: string;
  /** The trainer of the last attempt; null when none was configured. A retry goes to who was asked for, else to the default. */
  trainerId: string | null;
  sqlstate: string;
  message: string;
  source: string;
  attempts: number;
  firstFailedAt: Date;
  lastFailedAt: Date;
  nextAttemptAt: Date;
}

/** What became of failures that were retried. Whoever is assigned by now, or gone, has succeeded. */
export interface RetryResult {
  retried: number;
  succeeded: number;
  failed: number;
}

const batchRows = 500;

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

/** Lists up to 500 failures whose last attempt began no longer ago than this, the oldest of them first. */
export async function listRecentFailures(sql: Sql, withinMs: number): Promise<Failure[]> {
  const failures = await sql<Failure[]>`
    select member_id, trainer_id, sqlstate, message, source, attempts, first_failed_at, last_failed_at, next_attempt_at
    from assignment.failures
    where last_failed_at >= now() - make_interval(secs => ${withinMs / 1000})
    order by last_failed_at, member_id
    limit ${batchRows}
  `;
  return [...failures];
}

/** Retries up to 500 failures whose time has come; several callers at once share them. */
export async function retryDueFailures(sql: Sql): Promise<RetryResult> {
  const [result] = await sql<[RetryResult]>`
    select retried, succeeded, failed
    from assignment.retry_failures(${batchRows})
  `;
  return result;
}

/** Retries all failures that there are now, whether their time has come or not; each once. */
export async function retryFailures(sql: Sql): Promise<RetryResult> {
  const [due] = await sql<[{ failures: number }]>`select assignment.hasten_failures() as failures`;
  const sum: RetryResult = { retried: 0, succeeded: 0, failed: 0 };
  while (sum.retried < due.failures) { // those that fail again may be due again before the last one was tried
    const { retried, succeeded, failed } = await retryDueFailures(sql);
    sum.retried += retried;
    sum.succeeded += succeeded;
    sum.failed += failed;
    if (retried < batchRows) break;
  }
  return sum;
}
