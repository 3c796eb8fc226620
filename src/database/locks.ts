import { errorCode } from "../errors.ts";

/** How long a look waits for a table that somebody holds locked: it must answer, whatever a migration does meanwhile. */
export const LOOK_LOCK_TIMEOUT_MS = 250;

/** Stands for what could not be read, because somebody holds its table locked. */
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
