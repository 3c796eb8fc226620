import { errorCode } from "../errors.ts";
import { CANCELED } from "./error_kinds.ts";
import type { Sql, SqlOrTransaction } from "./sql.ts";

/** Reads in a transaction whose statements may take this long each; null if one took longer. */
export async function readInTime<T>(
  sql: Sql,
  timeoutMs: number,
  read: (transaction: SqlOrTransaction) => Promise<T>,
): Promise<T | null> {
  try {
    const { value } = await sql.begin("read only", async (transaction) => {
      await transaction`select set_config('statement_timeout', ${String(timeoutMs)}, true)`;
      return { value: await read(transaction) };
    });
    return value;
  } catch (error) {
    if (errorCode(error) === CANCELED) return null;
    throw error;
  }
}
