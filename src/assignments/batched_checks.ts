import type { Span } from "@opentelemetry/api";
import { AppError, errorCode } from "../errors.ts";
import type { Sql } from "../database/sql.ts";
import { poolFull } from "../database/driver/pool.ts";
import { POOL_WAIT_MS } from "../database/service_pools.ts";
import { startDeadline } from "../deadline.ts";
import { isKnownCluster } from "../database/distributed.ts";
import type { RequireVisibleRows } from "../database/visible_rows.ts";
import { type Read, readFrom } from "../database/read_replica.ts";
import { currentSpan, isTracing, withSharedSpan } from "../telemetry/tracing.ts";
import { toIsoTime } from "../times.ts";
import { type CheckRow, selectChecks, type WrittenAssignment } from "./check_select.ts";
import { ANY_TRAINER } from "./checks.ts";

/** How a member stands with a trainer. */
export interface MemberAssignment {
  memberId: string;
  /** Of the trainer who was asked for. Asked for any: of the trainer found, else `any`. */
  trainerId: string;
  assigned: boolean;
  assignment: WrittenAssignment | null;
}

/** Checks one member; the default trainer where none is named, with {@link ANY_TRAINER} whichever trainer. */
export type CheckMember = (memberId: string, trainerId?: string) => Promise<MemberAssignment>;

const MAX_QUERIES = 4;
/** How long the latest query may run before another one starts beside it; ample where the database is near. */
const SPACING_MS = 5;
const SPACING_ON_CLUSTER_MS = 20;
const MAX_MEMBERS = 500;
/** So many that wait are worth a second query at once: the thread would sleep until the first is answered. */
const WORTH_A_QUERY = 24;
/** On a cluster a query costs much more than a member in it. */
const WORTH_A_QUERY_ON_CLUSTER = 250;

export interface BatchOptions {
  /** Called for each query with the number of checks that share it. */
  onQuery?: (members: number) => void;
  /** How long a query may take. */
  timeoutMs?: number;
  /** How long a check waits for its turn. */
  waitMs?: number;
  /** Asked before somebody is said to be unknown or without a trainer where row-level security filters rows. */
  requireVisibleRows?: RequireVisibleRows;
  /** Where each query is asked; `sql` by default. */
  beginRead?: () => Read;
}

interface Check {
  memberId: string;
  trainerId: string | undefined;
  askedAt: number;
  /** The request's span, where there are spans. */
  span: Span | undefined;
  resolve(answer: MemberAssignment): void;
  reject(error: unknown): void;
}

/**
 * Creates a {@link CheckMember} that answers concurrent checks with one query, because a query each is what limits a
 * replica. The first check starts a query at once. Checks that come meanwhile share the next query, which starts when the
 * first one has ended, or beside it when many wait or that is slow; at most four run at once. A check's query starts after the check
 * was asked for, so its answer is as fresh as from a query of its own. Nothing is cached.
 *
 * Rejects with {@link AppError} `member_not_found`, with `trainer_not_found` where none is named and there is no default
 * trainer, or with the database's error. Checks that share a query do not share the error of one of them.
 *
 * Every check settles in time, even if the database does not answer. After the query's time-out its checks reject with
 * `ETIMEDOUT`, as when a connection breaks, and the query is left to itself. A check that waits too long for its turn
 * rejects as statements do for which there is no connection.
 */
export function batchChecks(
  sql: Sql,
  {
    onQuery,
    timeoutMs = 15_000,
    waitMs = POOL_WAIT_MS,
    requireVisibleRows = () => Promise.resolve(),
    beginRead = () => readFrom(sql),
  }: BatchOptions = {},
): CheckMember {
  const isTraced = isTracing();
  const select = isTraced ? selectTraced : selectChecks;
  let waiting: Check[] = [];
  let queries = 0;
  let latestBegan = 0;
  let isWatched = false;

  return function checkMember(memberId, trainerId) {
    return new Promise((resolve, reject) => {
      const span = isTraced ? currentSpan() : undefined;
      waiting.push({ memberId, trainerId, askedAt: performance.now(), span, resolve, reject });
      begin();
      watchWaiting();
    });
  };

  function begin(): void {
    if (waiting.length === 0 || queries >= MAX_QUERIES) return;
    const onCluster = isKnownCluster(sql);
    const isWorthSecond = queries === 1 &&
      waiting.length >= (onCluster ? WORTH_A_QUERY_ON_CLUSTER : WORTH_A_QUERY);
    const spacingMs = onCluster ? SPACING_ON_CLUSTER_MS : SPACING_MS;
    if (queries > 0 && !isWorthSecond && performance.now() - latestBegan < spacingMs) return;
    const checks = waiting.slice(0, MAX_MEMBERS);
    waiting = waiting.slice(MAX_MEMBERS);
    queries += 1;
    latestBegan = performance.now();
    onQuery?.(checks.length);
    answer(checks).finally(() => {
      queries -= 1;
      begin();
    });
  }

  /** One timer for all: when the first has waited too long, another query begins, or else it is refused. */
  function watchWaiting(): void {
    const first = waiting[0];
    if (isWatched || first === undefined) return;
    isWatched = true;
    setTimeout(() => {
      isWatched = false;
      begin();
      const tooLong = performance.now() - waitMs;
      const inTime = waiting.findIndex(({ askedAt }) => askedAt > tooLong); // they are in the order of asking
      const refused = waiting.splice(0, inTime === -1 ? waiting.length : inTime);
      for (const { reject } of refused) reject(poolFull());
      watchWaiting();
    }, Math.max(1, first.askedAt + waitMs - performance.now()));
  }

  async function answer(checks: Check[]): Promise<void> {
    const deadline = startDeadline(timeoutMs, late);
    try {
      const rows = await Promise.race([beginRead()((sql) => select(sql, checks)), deadline.over]);
      for (const row of rows) {
        const check = checks[row.position - 1];
        if (check === undefined) continue;
        if (row.isFiltered && row.id === null) {
          requireVisibleRows().then(() => settle(check, row), check.reject);
        } else {
          settle(check, row);
        }
      }
    } catch (error) {
      if (checks.length > 1 && isAboutValues(error)) {
        const middle = checks.length / 2;
        await Promise.all([answer(checks.slice(0, middle)), answer(checks.slice(middle))]);
      } else {
        for (const check of checks) check.reject(error);
      }
    } finally {
      deadline.lift();
    }
  }
}

function late(): Error {
  return Object.assign(new Error("the database does not answer"), { code: "ETIMEDOUT" });
}

/** In the span of the check that asks alone, or in one that is linked to those of all that share the query. */
async function selectTraced(sql: Sql, checks: readonly Check[]): Promise<CheckRow[]> {
  const spans = checks.flatMap(({ span }) => span ?? []);
  return await withSharedSpan("batched checks", spans, () => selectChecks(sql, checks));
}

function settle({ memberId, trainerId, resolve, reject }: Check, row: CheckRow): void {
  if (row.trainerId === null && trainerId !== ANY_TRAINER) {
    reject(new AppError("trainer_not_found", "no default trainer is configured"));
  } else if (row.isKnown === false) {
    reject(new AppError("member_not_found", `member ${memberId} does not exist`));
  } else {
    const { id, assignmentDate, source, notes } = row;
    const assignment = id && assignmentDate && source
      ? { id, assignmentDate: toIsoTime(assignmentDate), source, notes }
      : null;
    resolve({
      memberId,
      trainerId: row.trainerId ?? ANY_TRAINER,
      assigned: assignment !== null,
      assignment,
    });
  }
}

/** Class 22: data that the database cannot read. Its other errors would have met each check alone as well. */
function isAboutValues(error: unknown): boolean {
  return /^22...$/.test(errorCode(error));
}
