import { closeDatabase, type DatabaseOptions, openDatabase, SUSPECT_AFTER_MS } from "./connection.ts";
import type { Sql } from "./sql.ts";
import { findSettings } from "./session_settings.ts";
import { limitPool, type Pool } from "./driver/pool.ts";

/** The pools of a service. Requests and background work cannot take each other's connections. */
export interface ServicePools {
  /** For requests. Long statements are canceled; those that find no connection in time are refused. */
  requests: Pool;
  /** For backfill steps, retries and the schedule. Statements have no time limit. */
  background: Pool;
  /** For health and metrics, which must work while the other two are full. */
  watch: Pool;
  close(): Promise<void>;
}

export interface ServicePoolOptions {
  requestConnections: number;
  statementTimeoutMs: number;
  backfillLanes: number;
}

/** How long a request waits for a connection. */
export const POOL_WAIT_MS = 2_000;

/** In addition to one per lane: for polling runs, for retries, and for the schedule. */
const BACKGROUND_CONNECTIONS = 3;
const WATCH_CONNECTIONS = 2;
/** The longest wait of health and metrics. */
const WATCH_TIMEOUT_MS = 3_000;

/** Our transactions are never idle this long unless their process hangs. */
const IDLE_IN_TRANSACTION_MS = 30_000;

/** We close idle connections after five minutes. This ends those whose end did not reach the server. */
const IDLE_MS = 10 * 60_000;

/** The longest time-out that a transaction sets for itself: the counts of the admin page. */
const LONGEST_OWN_TIMEOUT_MS = 10_000;

/** Network time granted to an answer. */
const GRACE_MS = 2_000;

/** Opens the pools. Rejects when the database cannot be reached. */
export async function openServicePools(url: string, options: ServicePoolOptions): Promise<ServicePools> {
  const { requestConnections, statementTimeoutMs, backfillLanes } = options;
  const found = await findSettings(url, {
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    idle_session_timeout: IDLE_MS,
  });
  const areTaken = found !== null;
  const within = (statement_timeout: number | "0") => areTaken ? { ...found, statement_timeout } : {};
  const open = (rest: DatabaseOptions) => openDatabase(url, { suspectAfterMs: SUSPECT_AFTER_MS, ...rest });

  const requests = open({
    applicationName: "trainer-assignment service",
    max: requestConnections,
    settings: found ?? {},
    longestStatementMs: Math.max(statementTimeoutMs, LONGEST_OWN_TIMEOUT_MS) + GRACE_MS,
  });
  const background = open({
    applicationName: "trainer-assignment service: background",
    max: backfillLanes + BACKGROUND_CONNECTIONS,
    settings: within("0"),
  });
  const watch = open({
    applicationName: "trainer-assignment service: watch",
    max: WATCH_CONNECTIONS,
    settings: within(WATCH_TIMEOUT_MS),
    longestStatementMs: WATCH_TIMEOUT_MS + GRACE_MS,
  });
  const all: Sql[] = [requests, background, watch];
  const cancelAfter = (cancelAfterMs: number) => areTaken ? {} : { cancelAfterMs };
  return {
    requests: limitPool(requests, { waitMs: POOL_WAIT_MS, ...cancelAfter(statementTimeoutMs) }),
    background: limitPool(background),
    watch: limitPool(watch, { waitMs: WATCH_TIMEOUT_MS, ...cancelAfter(WATCH_TIMEOUT_MS) }),
    async close() {
      await Promise.all(all.map((sql) => closeDatabase(sql)));
    },
  };
}
