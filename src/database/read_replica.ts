import { closeDatabase, openDatabase } from "./connection.ts";
import type { Sql } from "./sql.ts";
import { limitPool, type PoolUse } from "./driver/pool.ts";
import { createLagMeter } from "./replica_lag.ts";
import { delay, inTime } from "../deadline.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../telemetry/log.ts";
import { type Fallback, reasonOf } from "./read_fallbacks.ts";

/** Runs a read-only piece of work on a server that may serve it. */
export type Read = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;

export interface ReadReplica {
  /**
   * Begins a read of one or several steps. A step runs on the replica if its data is fresh enough, else on the
   * primary. A step that fails on the replica runs again on the primary. After the first step on the primary
   * all others run there, so that no data disappears between two steps.
   */
  beginRead(): Read;
  state(): ReplicaState;
  /** How its connections are used. */
  use(): PoolUse;
  /** Stops measuring, and closes the connections. */
  close(): Promise<void>;
}

export interface ReplicaState {
  isUsed: boolean;
  /** Upper bound of its lag; null if unknown. */
  lagMs: number | null;
  /** Reads that went to the primary instead, by reason, since the process started. */
  fallbacks: ReadonlyMap<Fallback, number>;
}

export interface ReplicaOptions {
  /** Serves the reads that the replica cannot. */
  primary: Sql;
  /** Asks the primary for its position. */
  watch: Sql;
  /** Connections for reads; one more measures the lag. */
  connections: number;
  /** The highest lag that a read accepts. */
  maxLagMs: number;
  /** The longest wait for the replica's answer; then the primary is asked. */
  answerWithinMs?: number;
  log: Logger;
  /** Traces the reads. */
  trace?: (sql: Sql) => Sql;
}

const ANSWER_WITHIN_MS = 2_000;
/** Network time granted to a canceled answer. */
const GRACE_MS = 2_000;
/** The longest wait for a connection to the replica; then the primary is asked. */
const WAIT_MS = 500;

/**
 * Measurements per `maxLagMs`. The bound on the lag grows between them, and must not reach `maxLagMs` on a
 * fresh replica.
 */
const MEASUREMENTS = 5;
const SHORTEST_INTERVAL_MS = 100;
const LONGEST_INTERVAL_MS = 1_000;

/** Reads from the primary only. */
export function readFrom(sql: Sql): Read {
  return (work) => work(sql);
}

/**
 * Opens a replica to read from, and keeps measuring its lag. The replica may be away, now and at any time.
 * @param url names a single server, so that the measured lag applies to every connection
 */
export function openReadReplica(url: string, options: ReplicaOptions): ReadReplica {
  const { primary, connections, maxLagMs, answerWithinMs = ANSWER_WITHIN_MS, log, trace = (sql) => sql } =
    options;
  const fallbacks = new Map<Fallback, number>();
  const closing = new AbortController();
  let trouble: Fallback | null = "unmeasured";
  let told: Fallback | null | undefined;
  let latestError: unknown;
  let departures = 0;

  const reads = openDatabase(url, {
    max: connections,
    applicationName: "trainer-assignment service: reads",
    suspectAfterMs: answerWithinMs + GRACE_MS,
    longestStatementMs: answerWithinMs + GRACE_MS,
  });
  const watch = openDatabase(url, {
    max: 1,
    applicationName: "trainer-assignment service: watch",
    staysOpen: true,
    suspectAfterMs: ANSWER_WITHIN_MS + GRACE_MS,
    longestStatementMs: ANSWER_WITHIN_MS + GRACE_MS,
    // A restarted replica may have replayed less than before: it must be measured before it is used again.
    onClose: () => leave("unreachable", "the connection closed"),
  });
  // Late reads are canceled from here: while the replica is away, nobody can find out whether it takes a
  // time-out setting.
  const pool = limitPool(reads, { waitMs: WAIT_MS, cancelAfterMs: answerWithinMs });
  const sql = trace(pool.sql);
  const meter = createLagMeter(options.watch, watch);
  const measuring = keepMeasuring();

  return {
    beginRead,
    state() {
      const lagMs = meter.lagMs();
      return { isUsed: unusableReason() === null, lagMs: Number.isFinite(lagMs) ? lagMs : null, fallbacks };
    },
    use: pool.use,
    async close() {
      closing.abort();
      // The driver waits for a connection that broke during a query. All reads have ended before, so a short
      // wait is enough.
      await Promise.all([measuring, closeDatabase(reads, 1), closeDatabase(watch, 0)]);
    },
  };

  function beginRead(): Read {
    let hasLeft = false;
    return async (work) => {
      if (hasLeft) return await work(primary);
      let why = unusableReason();
      if (why !== null) {
        tellChange();
      } else {
        try {
          return await inTime(work(sql), answerWithinMs, late);
        } catch (error) {
          if (error instanceof AppError) throw error;
          why = reasonOf(error);
          if (why === "unreachable" || why === "late") leave(why, error);
        }
      }
      hasLeft = true;
      fallbacks.set(why, (fallbacks.get(why) ?? 0) + 1);
      return await work(primary);
    };
  }

  function unusableReason(): Fallback | null {
    if (trouble !== null) return trouble;
    if (meter.lagMs() <= maxLagMs) return null;
    return meter.isPrimaryThere() ? "lagging" : "unmeasured";
  }

  /** Stops using the replica until the next measurement. */
  function leave(why: Fallback, error: unknown): void {
    if (closing.signal.aborted) return;
    departures += 1;
    trouble = why;
    latestError = error;
    tellChange();
  }

  async function keepMeasuring(): Promise<void> {
    const { signal } = closing;
    const intervalMs = Math.min(
      Math.max(maxLagMs / MEASUREMENTS, SHORTEST_INTERVAL_MS),
      LONGEST_INTERVAL_MS,
    );
    while (!signal.aborted) {
      const before = departures;
      try {
        const mismatch = await meter.measure();
        if (departures === before) trouble = mismatch; // else the measurement is older
      } catch (error) {
        leave("unreachable", error);
      }
      if (signal.aborted) return;
      tellChange();
      await delay(intervalMs, signal);
    }
  }

  function tellChange(): void {
    const why = unusableReason();
    if (why === told) return;
    told = why;
    if (why === null) log.info({ event: "read_replica_used", lagMs: Math.round(meter.lagMs()) });
    else if (why !== "unreachable") log.warn({ event: "read_replica_left", reason: why });
    else log.warn({ event: "read_replica_left", reason: why, error: String(latestError) });
  }
}

function late(): Error {
  return Object.assign(new Error("the replica does not answer"), { code: "ETIMEDOUT" });
}
