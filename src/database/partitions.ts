import { OperatorError } from "../errors.ts";
import { type MigrationLockOptions, withMigrationLock } from "./migration_lock.ts";
import postgres from "postgres";

/** The most that `assignment.partition_assignments` takes. */
export const MAX_PARTITIONS = 1024;

/**
 * Cuts `public.trainer_client_assignments` into hash partitions of the client; 1 makes one table of it again.
 * In one transaction; signups meanwhile commit, and are assigned by the next retry.
 * @returns how many rows moved; null when it has this many partitions already
 * @throws {OperatorError} with what stands in the way; nothing is changed then
 */
export async function partitionAssignments(
  databaseUrl: string,
  partitions: number,
  lock: MigrationLockOptions = {},
): Promise<number | null> {
  return await withMigrationLock(databaseUrl, lock, async (sql) => {
    try {
      const [row] = await sql<[{ moved: number | null }]>`
        select assignment.partition_assignments(${partitions}) as moved
      `;
      return row.moved;
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) throw error;
      const words = [error.message, error.detail, error.hint].filter((each) => each !== undefined);
      throw new OperatorError(`nothing was changed: ${words.join(": ")}`, { cause: error });
    }
  });
}
