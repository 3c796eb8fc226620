import type { Sql } from "../../../src/database/sql.ts";
import { migrateUp } from "../../../src/database/migrate.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

/** Makes a database whose `members` is an application's own: the default trainer, and three who are assigned. */
export async function applicationDatabase(): Promise<TestDatabase> {
  const database = await testDatabase({ migrated: false });
  await database.sql.unsafe(
    "create table public.members (id uuid primary key default gen_random_uuid(), email text)",
  );
  await migrateUp(database.url);
  await database.sql.unsafe(`
    insert into public.members values ('${DEFAULT_TRAINER_ID}', 'coach');
    insert into public.members (email) select 'a' || n from generate_series(1, 3) n;
  `);
  return database;
}

export async function countActive(sql: Sql): Promise<number> {
  return (await sql`select from public.trainer_client_assignments where status = 'active'`).length;
}

export async function addMember(sql: Sql): Promise<void> {
  await sql`insert into public.members (email) values ('new')`;
}
