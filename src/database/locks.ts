import { errorCode } from "../errors.ts";

/** The longest wait of a health check for a locked table: it must answer also during a migration. */
export const LOOK_LOCK_TIMEOUT_MS = 250;

/** Stands for a value that could not be read because its table is locked. */
export const LOCKED = Symbol("locked");
export type Locked = typeof LOCKED;

const LOCK_NOT_AVAILABLE = "55P03";

/** Awaits a query; {@link LOCKED} where it did not get its lock in time. */
export async function orLocked<T>(query: PromiseLike<T>): Promise<T | Locked> {
  try {
    return await query;
  } catch (error) {
    if (errorCode(error) === LOCK_NOT_AVAILABLE) return LOCKED;
    throw error;
  }
}
