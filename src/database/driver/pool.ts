import type { Sql } from "../sql.ts";

/** A database handle with a bounded queue, and its use. */
export interface Pool {
  sql: Sql;
  use(): PoolUse;
}

/** How one pool of this process is used. */
export interface PoolUse {
  /** The most open connections. */
  size: number;
  /** Running statements and transactions, each on its own connection. */
  inUse: number;
  /** Statements and transactions that wait for a connection. */
  waiting: number;
  /** The longest current wait; 0 if none waits. */
  longestWaitMs: number;
  /** How many were refused after the longest wait, since the process started. */
  refused: number;
}

export interface PoolLimits {
  /** The longest wait for a connection; no limit by default. */
  waitMs?: number;
  /** Cancels a statement outside a transaction after this long; by default never. */
  cancelAfterMs?: number;
}

/** The code of the error when all connections were in use for too long. */
export const POOL_FULL = "POOL_FULL";

/** Creates that error. */
export function poolFull(): Error {
  return Object.assign(new Error("all connections were in use for too long"), { code: POOL_FULL });
}

/**
 * Runs at most one statement or transaction per connection. The others wait in a queue, and reject with
 * {@link POOL_FULL} after a limited wait. Mends a defect of the driver: it lets them wait without limit, and sends
 * some over a busy connection, behind a statement that may wait for a lock.
 *
 * A transaction counts as one and sets its time-outs itself. Statements by `unsafe`, `reserve` or their own
 * `execute` are not counted.
 */
export function limitPool(sql: Sql, { waitMs, cancelAfterMs }: PoolLimits = {}): Pool {
  const size = sql.options.max;
  const queue = new Map<() => void, number>(); // since when each waits, longest first
  let inUse = 0;
  let refused = 0;

  const limited = new Proxy(sql, {
    apply(target, self, args) {
      const query: unknown = Reflect.apply(target, self, args);
      if (query instanceof Promise) waitWhenAwaited(query);
      return query;
    },
    get(target, property) {
      if (property !== "begin") return Reflect.get(target, property);
      return (...args: unknown[]) => inTurn(() => Reflect.apply(target.begin, target, args));
    },
  });
  return { sql: limited, use };

  function use(): PoolUse {
    const [since] = queue.values();
    const longestWaitMs = since === undefined ? 0 : performance.now() - since;
    return { size, inUse, waiting: queue.size, longestWaitMs, refused };
  }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (inUse < size) inUse += 1;
    else await comeToTurn();
    try {
      return await work();
    } finally {
      const [next] = queue.keys();
      if (next === undefined) inUse -= 1;
      else next();
    }
  }

  function comeToTurn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        queue.delete(begin);
        resolve();
      };
      const giveUp = () => {
        queue.delete(begin);
        refused += 1;
        reject(poolFull());
      };
      const timer = waitMs === undefined ? undefined : setTimeout(giveUp, waitMs);
      queue.set(begin, performance.now());
    });
  }

  /** The driver sends a statement when it is first awaited. A fragment is never awaited. */
  function waitWhenAwaited(query: Promise<unknown>): void {
    const { then } = query;
    const send = () =>
      new Promise((resolve, reject) => {
        Reflect.apply(then, query, [resolve, reject]);
      });
    let outcome: Promise<unknown> | undefined;
    const run = () => outcome ??= inTurn(() => cancelWhenLate(query, send));
    Object.assign(query, {
      then: (...handlers: Parameters<typeof then>) => run().then(...handlers),
      catch: (handler: () => unknown) => run().catch(handler),
      finally: (handler: () => void) => run().finally(handler),
    });
  }

  async function cancelWhenLate(query: Promise<unknown>, send: () => Promise<unknown>): Promise<unknown> {
    if (cancelAfterMs === undefined) return await send();
    const timer = setInterval(() => cancel(query), cancelAfterMs);
    try {
      return await send();
    } finally {
      clearInterval(timer);
    }
  }
}

/**
 * Asks the server to cancel a statement, over a separate connection. Mends two defects of the driver's
 * `cancel()`: it drops its promise, whose rejection ends the process while the server is away; and it loses a
 * connection that is still being opened (postgres.js 3.4.9, src/query.js, src/index.js).
 */
function cancel(query: Promise<unknown>): void {
  const canceller: unknown = Reflect.get(query, "canceller");
  if (Reflect.get(query, "active") !== true || typeof canceller !== "function") return;
  const sent: unknown = canceller(query);
  if (sent instanceof Promise) sent.catch(() => {}); // a server that is away runs nothing to cancel
}
