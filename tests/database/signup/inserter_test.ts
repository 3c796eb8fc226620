import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../../src/database/sql.ts";
import { assertAssigned, newId } from "../../support/assignments.ts";
import { type OwnedDatabase, ownedDatabase } from "../../support/owned_database.ts";
import { describeByPolicy } from "../../support/signup_policies.ts";

describeByPolicy("an inserter with no right but INSERT on members", (policy) => {
  let database: OwnedDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await ownedDatabase();
    await policy.put(database.sql);
  });
  beforeEach(() => {
    sql = database.newInserter(); // in which nothing of ours is compiled or planned yet
  });
  afterAll(() => database.drop());

  it("gets their member assigned", async () => {
    const id = newId();
    await sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
  });

  for (
    const statement of [
      "select * from public.trainer_client_assignments",
      "select * from assignment.settings",
      "select * from assignment.failures",
      "select assignment.assign_or_record('{}', 'trigger')",
      "select assignment.assign_member(gen_random_uuid())",
      "select assignment.end_assignment(gen_random_uuid(), gen_random_uuid())",
      "select assignment.retry_failures()",
      "select assignment.start_backfill('inserter')",
    ]
  ) {
    it(`may not run: ${statement}`, async () => {
      await assertRejects(() => sql.unsafe(statement), postgres.PostgresError, "permission denied");
    });
  }

  it("may execute no function of ours by itself, whatever else they are granted", async () => {
    const rows = await database.sql`
      select p.proname as name
      from pg_proc p
      where p.pronamespace = 'assignment'::regnamespace
        and p.proname <> 'uuid_v7' -- the default of a column: whoever inserts calls it
        and has_function_privilege(${database.inserterName}, p.oid, 'execute')
    `;
    assertEquals([...rows], []);
  });

  it("gets their member assigned with a search_path of theirs, whose functions and operators shadow the built-in ones", async () => {
    const id = newId();
    await database.sql.unsafe(`
      create schema hostile;
      create table hostile.members (id uuid);
      create table hostile.settings (default_trainer_id uuid);
      create function hostile.hijack() returns boolean language plpgsql as $$ begin raise exception 'hijacked by %', current_user; end $$;
      create function hostile.unnest(anyarray) returns setof anyelement language sql as 'select null::anyelement where hostile.hijack()';
      create function hostile.cardinality(anyarray) returns integer language sql as 'select hostile.hijack()::integer';
      create function hostile.now() returns timestamptz language sql as 'select now() where hostile.hijack()';
      create function hostile.equal(uuid, uuid) returns boolean language sql as 'select hostile.hijack()';
      create operator hostile.= (leftarg = uuid, rightarg = uuid, function = hostile.equal);
      create operator hostile.<> (leftarg = uuid, rightarg = uuid, function = hostile.equal);
      grant usage on schema hostile to public;
    `);
    await sql`set search_path = hostile, public, pg_catalog`;
    await sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
  });

  it("gets their member assigned despite temporary tables with our names", async () => {
    const id = newId();
    await sql.unsafe(`
      create temp table members (id uuid);
      create temp table new_members (id uuid);
      create temp table trainer_client_assignments (id uuid);
      create temp table settings (default_trainer_id uuid);
      create temp table failures (member_id uuid);
      create temp table asked (id uuid);
    `);
    await sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
  });

  it("runs none of their code as the owner by temporary types with built-in names", async () => {
    const id = newId();
    await database.sql.unsafe(`create table public.loot (role text); grant insert on public.loot to public`);
    await sql.unsafe(`
      create function pg_temp.grab(anyelement) returns boolean language plpgsql
        as 'begin insert into public.loot values (current_user); return true; end';
      create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.grab(value));
      create domain pg_temp.text as pg_catalog.text check (pg_temp.grab(value));
      create domain pg_temp.record as pg_catalog.text check (pg_temp.grab(value));
    `);
    await sql`insert into public.members (id) values (${id})`;
    assertEquals([...await database.sql`select role from public.loot`], []);
    await assertAssigned(database.sql, [id]);
  });

  it("gets their member assigned in a session with odd settings", async () => {
    const id = newId();
    await sql.unsafe(`
      set lock_timeout = '1ms';
      set row_security = off;
      set datestyle = 'German';
      set timezone = 'Pacific/Chatham';
      set intervalstyle = 'sql_standard';
      set bytea_output = 'escape';
      set extra_float_digits = -15;
      set transform_null_equals = on;
      set plan_cache_mode = force_generic_plan;
      set enable_indexscan = off;
      set enable_bitmapscan = off;
      set work_mem = '64kB';
      set client_min_messages = error;
    `);
    await sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
  });

  it("gets their member assigned with PL/pgSQL's extra checks as errors", async () => {
    const id = newId();
    await sql`set plpgsql.extra_errors = 'all'`;
    await sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
  });

  it("calls no security definer function that finds temporary types before built-in ones", async () => {
    const rows = await database.sql`
      select p.proname as name
      from pg_proc p
      where p.pronamespace = 'assignment'::regnamespace
        and p.prosecdef
        and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
      order by p.proname
    `;
    assertEquals([...rows], []);
  });
});
