import { delay } from "../deadline.ts";
import { OperatorError } from "../errors.ts";
import { findSettings } from "./session_settings.ts";
import { closeDatabase, openDatabase, resolveDatabaseUrl } from "./connection.ts";
import type { Sql } from "./sql.ts";

const LOCK_NAME = "trainer assignment: migrations";
const POLL_MS = 200;

/** How a migration waits for another one. */
export interface MigrationLockOptions {
  /** Called with the holder of the lock when the wait begins, and whenever the holder changes. */
  onWait?: (holder: string) => void;
  /** The longest wait; ten minutes by default. */
  giveUpAfterMs?: number;
  /** Stops waiting. A migration under way continues. */
  signal?: AbortSignal;
}

const LONGEST_WAIT_MS = 600_000;

/**
 * Runs the work while no other session migrates. A separate connection holds an advisory lock for as long as
 * the work takes. It polls for the lock instead of waiting in the server: a waiting session holds a snapshot,
 * for which a `create index concurrently` in the running migration would wait in turn.
 * @param work gets the session that holds the lock, and the URL of its server
 * @throws {OperatorError} when another migration takes too long, or when the lock was lost meanwhile.
 */
export async function withMigrationLock<T>(
  databaseUrl: string,
  options: MigrationLockOptions,
  work: (sql: Sql, url: string) => Promise<T>,
): Promise<T> {
  const url = await resolveDatabaseUrl(databaseUrl); // dbmate takes a single host
  const settings = await findSettings(url) ?? {};
  const sql = openDatabase(url, {
    max: 1,
    applicationName: "trainer-assignment migrate",
    staysOpen: true,
    settings,
  });
  try {
    await sql`select set_config('idle_session_timeout', '0', false)`;
    await takeLock(sql, options);
    const result = await work(sql, url);
    if (!await holdsLock(sql).catch((cause) => Promise.reject(lost(cause)))) throw lost(); // only a query shows that the connection is lost
    return result;
  } finally {
    await closeDatabase(sql); // ends the session, and with it the lock
  }
}

function lost(cause?: unknown): OperatorError {
  return new OperatorError(
    "the connection that kept other migrations away was lost meanwhile: see what is applied with `deno task migrate status`",
    { cause },
  );
}

async function takeLock(
  sql: Sql,
  { onWait, giveUpAfterMs = LONGEST_WAIT_MS, signal = new AbortController().signal }: MigrationLockOptions,
): Promise<void> {
  const until = performance.now() + giveUpAfterMs;
  let announced: number | undefined;
  while (!await tryLock(sql)) {
    const holder = await findHolder(sql);
    if (holder !== undefined && holder.pid !== announced) onWait?.(describe(holder));
    announced = holder?.pid ?? announced;
    if (signal.aborted) {
      throw new OperatorError("stopped while waiting for another migration: nothing was done");
    }
    if (holder !== undefined && performance.now() >= until) {
      throw new OperatorError(
        `another migration is running: ${describe(holder)}. Run this again when it has ended; ` +
          `if it hangs, end it first: select pg_terminate_backend(${holder.pid});`,
      );
    }
    await delay(POLL_MS, signal);
  }
}

async function tryLock(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ locked: boolean }[]>`
    select pg_try_advisory_lock(hashtextextended(${LOCK_NAME}, 0)) as locked
  `;
  return row?.locked ?? false;
}

interface Holder {
  pid: number;
  applicationName: string;
  /** Null if our role may not see it. */
  connectedAt: Date | null;
}

/** Finds the session that holds the lock. pg_locks shows a 64-bit key in two halves, and 1 as the third part. */
async function findHolder(sql: Sql): Promise<(Holder & { isOurs: boolean }) | undefined> {
  const [holder] = await sql<(Holder & { isOurs: boolean })[]>`
    select a.pid, a.application_name, a.backend_start as connected_at, a.pid = pg_backend_pid() as is_ours
    from pg_catalog.pg_locks l
    join pg_catalog.pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory'
      and l.granted
      and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
      and l.objsubid = 1
      and (l.classid::bigint << 32) | l.objid::bigint = hashtextextended(${LOCK_NAME}, 0)
  `;
  return holder;
}

async function holdsLock(sql: Sql): Promise<boolean> {
  return (await findHolder(sql))?.isOurs ?? false;
}

function describe({ pid, applicationName, connectedAt }: Holder): string {
  const since = connectedAt === null ? "" : `, connected since ${connectedAt.toISOString()}`;
  return `session ${pid} (${applicationName === "" ? "without a name" : applicationName}${since})`;
}
