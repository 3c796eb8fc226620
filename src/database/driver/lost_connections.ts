import type postgres from "postgres";
import type { Sql } from "../sql.ts";

type Work<T> = (transaction: postgres.TransactionSql<{ bigint: number }>) => T | Promise<T>;

/**
 * Makes `begin` survive a lost connection. Mends a defect of the driver: it sends a rollback over the lost
 * connection, which ends the process (https://github.com/porsager/postgres/issues/1208). Here the driver does
 * not learn that the work failed; the closed connection rejects the transaction.
 */
export function surviveLostConnections(sql: Sql): Sql {
  const { begin } = sql;
  return Object.assign(sql, { begin: beginSafely });

  async function beginSafely<T>(...args: [work: Work<T>] | [mode: string, work: Work<T>]) {
    const [mode, work] = args.length === 1 ? ["", args[0]] : args;
    let failure: unknown;
    let isOver = false;
    const outcome = begin(mode, async (transaction) => {
      try {
        return await work(transaction);
      } catch (error) {
        failure = error;
        await turn();
        return isOver ? await new Promise<never>(() => {}) : Promise.reject(error);
      }
    });
    try {
      return await outcome;
    } catch (error) {
      isOver = true;
      await turn();
      throw failure ?? error; // the work's own error says more
    }
  }
}

/** Waits until the driver has reported a closed connection. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
