import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateDown, migrateUp } from "../../../src/database/migrate.ts";
import { setDefaultTrainer } from "../../../src/policy/policies.ts";
import { backfillExistingUsers } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { catalogOf } from "../../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { pgDump } from "../../support/pg_dump.ts";

describe("migrate down --all", () => {
  let database: TestDatabase;
  let role: string;
  const trainerId = newId();
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    role = `${database.name}_service`;
    await database.sql.unsafe(`
      create role ${role};
      create table public.members (
        id uuid primary key,
        tenant text not null default 'north' check (tenant <> ''),
        email text unique,
        referred_by uuid references public.members,
        profile jsonb not null default '{}'
      );
      comment on table public.members is 'Who signed up.';
      create table public.schema_migrations (version text primary key);  -- another tool's
      insert into public.schema_migrations values ('1');
      create table public.orders (
        id bigint generated always as identity primary key,
        member_id uuid not null references public.members on delete cascade
      );
      create view public.tenants as select distinct tenant from public.members;
      create function public.greet() returns trigger language plpgsql as $$ begin return new; end $$;
      create trigger greet after insert on public.members for each row execute function public.greet();
      alter table public.members enable row level security;
      create policy own_tenant on public.members using (tenant = current_user);
      grant insert on public.members to public;
      create schema auth;
      create table auth.users (id uuid primary key, phone text);
      insert into public.members (id) values ('${trainerId}');
      insert into public.members (id) select gen_random_uuid() from generate_series(1, 1000);
      insert into public.orders (member_id) select id from public.members;
      insert into auth.users select id from public.members limit 10;
    `);
  });
  afterEach(async () => {
    await database.sql`drop role if exists ${database.sql(role)}`;
    await database.drop();
  });

  /** All of it where the server's own dump is at hand, which is on 15; else its catalog. */
  async function describeDatabase(): Promise<string> {
    const { sql, url } = database;
    const [{ version } = { version: "" }] = await sql<{ version: string }[]>`
      select current_setting('server_version') as version
    `;
    return version.startsWith("15") ? await pgDump(url) : (await catalogOf(sql)).join("\n");
  }

  it("leaves the application's database as it was, with the same dump", async () => {
    const { sql, url } = database;
    const before = await describeDatabase();
    await migrateUp(url);
    await setDefaultTrainer(sql, trainerId, "ops");
    await sql`select assignment.grant_service(${role})`;
    await sql`select assignment.watch('auth.users', 'id')`;
    assertEquals((await backfillExistingUsers(sql)).successful, 1000);

    await migrateDown(url, { all: true });
    await sql`drop owned by ${sql(role)}`;
    assertEquals(await describeDatabase(), before);
  });
});
