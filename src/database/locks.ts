import { errorCode } from "../errors.ts";

/** The longest wait of a health check for a locked table. Health must answer during a migration too. */
export const LOOK_LOCK_TIMEOUT_MS = 250;

/** Stands for a value that could not be read because its table is locked. */
export const LOCKED = Symbol("locked");
export type Locked = typeof LOCKED;

/** No such relation, column, function or schema. */
const UNDEFINED_OBJECT = /^(42P01|42703|42883|3F000)$/;

const LOCK_NOT_AVAILABLE = "55P03";

/** Awaits a query; returns {@link LOCKED} if it did not get its lock in time. */
export async function orLocked<T>(query: PromiseLike<T>): Promise<T | Locked> {
  try {
    return await query;
  } catch (error) {
    if (errorCode(error) === LOCK_NOT_AVAILABLE) return LOCKED;
    throw error;
  }
}

/**
 * Awaits a query; returns {@link LOCKED} also if an object of it does not exist. For use while the structure is
 * locked: it is unknown then which objects exist.
 */
export async function orHidden<T>(query: PromiseLike<T>): Promise<T | Locked> {
  try {
    return await orLocked(query);
  } catch (error) {
    if (UNDEFINED_OBJECT.test(errorCode(error))) return LOCKED;
    throw error;
  }
}
