/** Tables that assignment.watch mirrors, and what others do to them meanwhile. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../src/database/sql.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { newId } from "../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

describe("a watched table", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    await sql.unsafe(`
      create schema auth;
      create table auth.users (id uuid primary key default gen_random_uuid(), email text);
      select assignment.watch('auth.users', 'id');
    `);
  });
  afterEach(() => database.drop());

  async function notMirrored(table = "auth.users", column = "id"): Promise<number> {
    const [row] = await sql<[{ missed: number }]>`
      select count(*) as missed from ${sql(table)} u
      where not exists (select from public.members m where m.id = u.${sql(column)})
    `;
    return row.missed;
  }

  async function watchedState(): Promise<[string, string | null][]> {
    const rows = await sql<{ state: string; remedy: string | null }[]>`
      select state, remedy from assignment.watched_state order by table_name
    `;
    return rows.map(({ state, remedy }) => [state, remedy]);
  }

  const triggerCheck = async () => (await checkHealth(sql)).checks.trigger;
  const reconcile = () => sql`select assignment.reconcile(now())`;

  it("is mirrored, and health is ready", async () => {
    await sql`insert into auth.users (email) values ('new')`;
    assertEquals([await notMirrored(), await watchedState()], [0, [["watched", null]]]);
    assertEquals((await triggerCheck()).status, "ok");
  });

  it("goes on being mirrored when its column is renamed", async () => {
    await sql.unsafe(
      "alter table auth.users rename column id to user_id; insert into auth.users (email) values ('new')",
    );
    assertEquals(await notMirrored("auth.users", "user_id"), 0);
    await sql`select assignment.watch('auth.users', 'user_id')`;
    await sql`insert into auth.users (email) values ('newer')`;
    assertEquals(await notMirrored("auth.users", "user_id"), 0);
    const [{ triggers }] = await sql<[{ triggers: number }]>`
      select count(*) as triggers from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal
    `;
    assertEquals(triggers, 2);
  });

  it("goes on being mirrored under another name and in another schema", async () => {
    await sql.unsafe(`
      alter table auth.users rename to people;
      alter schema auth rename to identity;
      insert into identity.people (email) values ('new');
    `);
    assertEquals([await notMirrored("identity.people"), await watchedState()], [0, [["watched", null]]]);
    await sql`select assignment.watch('identity.people', 'id')`;
    assertEquals((await sql`select from assignment.watched_tables`).length, 1);
  });

  it("that was created again is reported with a statement, which makes it watched again", async () => {
    await sql.unsafe(`
      drop table auth.users;
      create table auth.users (id uuid primary key default gen_random_uuid(), email text);
      insert into auth.users (email) values ('a'), ('b');
    `);
    assertEquals(await watchedState(), [["rebuilt", "select assignment.watch('auth.users', 'id')"]]);
    const check = await triggerCheck();
    assertEquals(check.status, "degraded");
    assertMatch(
      check.detail,
      /rows of auth\.users are not mirrored.*select assignment\.watch\('auth\.users', 'id'\)/,
    );

    await sql`select assignment.watch('auth.users', 'id')`;
    await sql`insert into auth.users (email) values ('c')`;
    assertEquals([await notMirrored(), await watchedState()], [0, [["watched", null]]]);
  });

  it("that was dropped is reported until it is no longer watched", async () => {
    await sql`drop table auth.users`;
    assertEquals(await watchedState(), [["dropped", "select assignment.unwatch('auth.users')"]]);
    await reconcile(); // goes on without it
    await sql`select assignment.unwatch('auth.users')`;
    assertEquals([await watchedState(), (await triggerCheck()).status], [[], "ok"]);
  });

  it("without its column is reported", async () => {
    await sql.unsafe("alter table auth.users drop column id; insert into auth.users (email) values ('new')");
    assertEquals((await watchedState())[0]?.[0], "column_missing");
    assertEquals((await triggerCheck()).status, "degraded");
  });

  for (
    const [what, statement, state] of [
      [
        "whose trigger was dropped",
        "drop trigger mirror_members_after_insert on auth.users",
        "trigger_missing",
      ],
      ["whose trigger is disabled", "alter table auth.users disable trigger all", "trigger_disabled"],
    ] as const
  ) {
    it(`${what} is reported, mirrored at night, and repaired by watching again`, async () => {
      await sql.unsafe(`${statement}; insert into auth.users (email) values ('missed')`);
      assertEquals([await notMirrored(), (await watchedState())[0]?.[0]], [1, state]);
      await reconcile();
      assertEquals(await notMirrored(), 0);
      await sql`select assignment.watch('auth.users', 'id')`;
      await sql`insert into auth.users (email) values ('seen')`;
      assertEquals([await notMirrored(), await watchedState()], [0, [["watched", null]]]);
    });
  }

  it("without its record is found by its triggers", async () => {
    await sql`delete from assignment.watched_tables`;
    assertEquals((await watchedState())[0]?.[0], "unrecorded");
    assertEquals((await triggerCheck()).status, "degraded");
  });

  it("that is no longer watched loses its triggers and keeps its members", async () => {
    await sql`insert into auth.users (email) values ('kept')`;
    await sql`select assignment.unwatch('auth.users')`;
    assertEquals(await notMirrored(), 0);
    await sql`insert into auth.users (email) values ('alone')`;
    assertEquals([await notMirrored(), await watchedState()], [1, []]);
    const error = await assertRejects(
      () => sql`select assignment.unwatch('auth.users')`,
      postgres.PostgresError,
    );
    assertMatch(error.message, /is not watched/);
  });

  it("may be partitioned", async () => {
    await sql.unsafe(`
      create table public.accounts (id uuid primary key) partition by hash (id);
      create table public.accounts_0 partition of public.accounts for values with (modulus 2, remainder 0);
      create table public.accounts_1 partition of public.accounts for values with (modulus 2, remainder 1);
      select assignment.watch('public.accounts', 'id');
      insert into public.accounts select gen_random_uuid() from generate_series(1, 20);
    `);
    assertEquals([await notMirrored("public.accounts"), (await triggerCheck()).status], [0, "ok"]);
  });

  it("whose ids are changed is mirrored under the new ids at night", async () => {
    await sql`insert into auth.users (email) values ('moved')`;
    await sql`update auth.users set id = ${newId()}`;
    await reconcile();
    assertEquals(await notMirrored(), 0);
  });

  it("whose rows cannot become members is reported, and does not stop the reconciliation", async () => {
    await sql.unsafe(`
      insert into auth.users (email) values ('a');
      create function auth.refuse() returns trigger language plpgsql as $$ begin raise exception 'no more members'; end $$;
      create trigger refuse before insert on public.members for each row execute function auth.refuse();
      alter table auth.users disable trigger all;
      insert into auth.users (email) values ('b');
      alter table auth.users enable trigger all;
    `);
    const [row] = await sql<[{ run: string | null }]>`select run_id as run from assignment.reconcile(now())`;
    assertEquals(typeof row.run, "string");
    assertEquals((await watchedState())[0]?.[0], "not_readable");
    assertMatch((await triggerCheck()).detail, /no more members/);
  });
});
