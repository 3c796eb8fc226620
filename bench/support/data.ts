import type { Sql } from "../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import type { BenchDatabase, BenchServer } from "./server.ts";

/** Adds members with version 4 ids whom the trigger does not see, as those of before the migration; then vacuum, analyze. */
export async function addMembers(sql: Sql, count: number): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`
      insert into public.members (email, display_name, created_at)
      select
        'member' || number || '@example.com',
        'Member ' || number,
        now() - interval '1 year'
      from generate_series(1, ${count}::integer) as number
    `;
  });
  await sql`vacuum (analyze) public.members`;
}

/** Assigns every member to the default trainer, in key order as a backfill does; then vacuum, analyze. */
export async function assignMembers(sql: Sql): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`
      insert into public.trainer_client_assignments (trainer_id, client_id, source)
      select ${DEFAULT_TRAINER_ID}, id, 'backfill'
      from public.members
      where id <> ${DEFAULT_TRAINER_ID}
      order by id
    `;
  });
  await sql`vacuum (analyze) public.trainer_client_assignments`;
}

/** Makes a database of members who are all assigned. */
export async function createAssignedDatabase(server: BenchServer, members: number): Promise<BenchDatabase> {
  const database = await server.createDatabase();
  await addMembers(database.sql, members);
  await assignMembers(database.sql);
  await database.settle();
  return database;
}

/** Empties the assignments and the record of runs: every member is unassigned again. */
export async function unassignAll(sql: Sql): Promise<void> {
  await sql`truncate public.trainer_client_assignments`;
  await sql`truncate assignment.backfill_runs cascade`;
}

/** Picks members at random. */
export async function pickMembers(sql: Sql, count: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from public.members order by hashtext(id::text), id limit ${count}
  `;
  return rows.map(({ id }) => id);
}
