import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { OperatorError } from "../errors.ts";
import { type MigrationLockOptions, withMigrationLock } from "./migration_lock.ts";
import { allowTriggers } from "./citus_migrations.ts";
import { isDistributed } from "./distributed.ts";
import type { SqlOrTransaction } from "./sql.ts";
import { findServiceRoles } from "./structure/repair_rights.ts";
import { splitStatements } from "./statements.ts";

const FOLDER = fileURLToPath(new URL("../../db/citus/", import.meta.url));
const DOWN = "down.sql";

/**
 * Distributes our tables beside `public.members` on a Citus cluster, as db/citus says, in one transaction.
 * @param options.distributesMembers also distributes `public.members`, by its id, where it is not
 * @returns in how many shards members are; null when it is distributed already
 * @throws {OperatorError} with what stands in the way; nothing is changed then
 */
export async function distributeOnCitus(
  databaseUrl: string,
  { distributesMembers, ...lock }: { distributesMembers: boolean } & MigrationLockOptions,
): Promise<number | null> {
  return await withMigrationLock(databaseUrl, lock, async (sql) => {
    if (await isDistributed(sql)) return null;
    try {
      await sql.begin(async (transaction) => {
        await refuseObstacles(transaction, distributesMembers);
        await allowTriggers(transaction);
        const roles = await findServiceRoles(transaction);
        const open = await listOpenFunctions(transaction);
        for (const file of await listFiles()) await runFile(transaction, file);
        for (const made of await listOpenFunctions(transaction)) {
          if (!open.includes(made)) {
            await transaction.unsafe(`revoke execute on function ${made} from public`);
          }
        }
        for (const role of roles) await transaction`select assignment.grant_service(${role})`;
      });
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) throw error;
      const words = [error.message, error.detail, error.hint].filter((each) => each !== undefined);
      throw new OperatorError(`nothing was changed: ${words.join(": ")}`, { cause: error });
    }
    // Each node makes the functions of its shards now, so that the first signups need not.
    const made = await sql<{ shardid: number; success: boolean; result: string }[]>`
      select shardid, success, result
      from run_command_on_placements(
        'public.members', $$select assignment.make_shard_functions(substring('%s' from '_(\\d+)$')::bigint)$$
      )
    `;
    const failed = made.find(({ success }) => !success);
    if (failed !== undefined) {
      throw new OperatorError(`the functions of a shard were not made: ${failed.result}`);
    }
    await sql`select assignment.note_policy_trainers()`;
    await sql`select from assignment.settle_all_seats()`; // free seats lie in the places of members now
    return new Set(made.map(({ shardid }) => shardid)).size;
  });
}

/** Drops, before the migrations' own objects, what {@link distributeOnCitus} made. `members` stays distributed. */
export async function revertDistribution(transaction: SqlOrTransaction): Promise<void> {
  if (!await isDistributed(transaction)) return;
  await allowTriggers(transaction);
  await runFile(transaction, DOWN);
}

async function listFiles(): Promise<string[]> {
  const files = (await Array.fromAsync(Deno.readDir(FOLDER))).map(({ name }) => name);
  return files.filter((file) => file.endsWith(".sql") && file !== DOWN).sort();
}

/** Those of our functions that every role may call; PostgreSQL grants that for each new one. */
async function listOpenFunctions(transaction: SqlOrTransaction): Promise<string[]> {
  const rows = await transaction<{ name: string }[]>`
    select p.oid::regprocedure::text as name
    from pg_proc p
    where p.pronamespace = 'assignment'::regnamespace
      and has_function_privilege('public', p.oid, 'execute')
  `;
  return rows.map(({ name }) => name);
}

/** Runs the statements of a file one by one: Citus sends the nodes all of what it is given at once. */
async function runFile(transaction: SqlOrTransaction, file: string): Promise<void> {
  for (const statement of splitStatements(await Deno.readTextFile(FOLDER + file))) {
    await transaction.unsafe(statement);
  }
}

/** What has no place on shards yet, or must be there before. */
async function refuseObstacles(sql: SqlOrTransaction, distributesMembers: boolean): Promise<void> {
  const [citus] = await sql`select from pg_extension where extname = 'citus'`;
  if (citus === undefined) {
    throw new OperatorError(
      "the database has no extension citus: create it on every node, and add the nodes with citus_add_node",
    );
  }
  const [found] = await sql<[{ by: string | null; isDefaultMember: boolean; obstacles: string[] }]>`
    select
      (
        select column_to_column_name(p.logicalrelid, p.partkey)
        from pg_dist_partition p
        where p.logicalrelid = 'public.members'::regclass
      ) as by,
      (
        select s.default_trainer_id = any (assignment.find_members(array[s.default_trainer_id]))
        from assignment.settings s
      ) as is_default_member,
      array_remove(array[
        case when exists (select from assignment.watched_tables) then 'a table is watched' end,
        case when exists (select from pg_class c where c.oid = 'public.trainer_client_assignments'::regclass and c.relkind = 'p')
          then 'trainer_client_assignments is partitioned (migrate --partitions 1 makes one table of it)' end,
        case when exists (select from assignment.backfill_runs r where r.status in ('running', 'paused'))
          then 'a run has not ended' end
      ], null) as obstacles
  `;
  if (found.by !== "id" && (found.by !== null || !distributesMembers)) {
    throw new OperatorError(
      found.by === null
        ? "public.members is not distributed: distribute it by its id, or have it done by `migrate --citus --distribute`"
        : `public.members is distributed by ${found.by}, and must be by id`,
    );
  }
  if (found.obstacles.length > 0) {
    throw new OperatorError(`nothing was changed: ${found.obstacles.join("; ")}`);
  }
  if (!found.isDefaultMember) {
    throw new OperatorError(
      "the default trainer is not a member: insert that member, or make another the default trainer, before the tables are distributed",
    );
  }
}
