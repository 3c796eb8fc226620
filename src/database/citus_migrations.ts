import { listMigrations, readMigration } from "./migration_files.ts";
import type { Sql, SqlOrTransaction } from "./sql.ts";
import { splitStatements } from "./statements.ts";

/** No foreign key can lead from a table of the coordinator to one on shards; db/citus adds the one that is possible. */
const KEYS_TO_MEMBERS =
  /^ *constraint trainer_client_assignments_(?:trainer|client)_id_fkey\n *foreign key .*references public\.members .*\n/gm;

/** Tells whether Citus has distributed `public.members`. Reads the catalogs alone. */
export async function hasDistributedMembers(sql: SqlOrTransaction): Promise<boolean> {
  const [row] = await sql<[{ hasCitus: boolean }]>`
    select to_regclass('pg_catalog.pg_dist_partition') is not null as has_citus
  `;
  if (!row.hasCitus) return false;
  const found = await sql`select from pg_dist_partition where logicalrelid = to_regclass('public.members')`;
  return found.length > 0;
}

/** Applies migrations in one transaction, statement by statement: Citus sends the nodes all of what it is given at once. */
export async function migrateOnCluster(sql: Sql, versions: readonly string[]): Promise<void> {
  await sql.begin(async (transaction) => {
    await allowTriggers(transaction);
    await transaction.unsafe("create schema if not exists assignment");
    await transaction.unsafe(
      "create table if not exists assignment.schema_migrations (version varchar primary key)",
    );
    for (const { version, file } of await listMigrations()) {
      if (!versions.includes(version)) continue;
      const { up } = await readMigration(file);
      for (const statement of splitStatements(up.replaceAll(KEYS_TO_MEMBERS, ""))) {
        await transaction.unsafe(statement);
      }
      await transaction`insert into assignment.schema_migrations (version) values (${version})`;
    }
  });
}

/** Lets this transaction create triggers on distributed tables, and change tables on one node after the other. */
export async function allowTriggers(transaction: SqlOrTransaction): Promise<void> {
  await transaction`
    select set_config('citus.enable_unsafe_triggers', 'on', true),
      set_config('citus.multi_shard_modify_mode', 'sequential', true),
      set_config('client_min_messages', 'error', true)
  `;
}
