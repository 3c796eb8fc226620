/** docs/adopting.md, path by path: databases that were there before. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { migrateDown, migrateUp } from "../../src/database/migrate.ts";
import { setDefaultTrainer } from "../../src/policy/policies.ts";
import { backfillExistingUsers, isUserAssignedToTrainer } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { catalogOf } from "../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

describe("adopting a database", () => {
  let database: TestDatabase;
  const trainerId = newId();
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
  });
  afterEach(() => database.drop());

  it("with 100,000 members of other columns: from nothing to all assigned, and back to what it was", async () => {
    const { sql, url } = database;
    await sql.unsafe(`
      create table public.members (
        id uuid primary key,
        tenant text not null check (tenant <> ''),
        email text unique,
        profile jsonb not null default '{}'
      );
      create table public.orders (member_id uuid not null references public.members);
      insert into public.members (id, tenant, email)
      select case number when 1 then '${trainerId}' else gen_random_uuid() end, 'north', 'm' || number || '@example.com'
      from generate_series(1, 100000) as number;
    `);
    const before = await catalogOf(sql);

    await migrateUp(url);
    await setDefaultTrainer(sql, trainerId, "ops");
    const dry = await backfillExistingUsers(sql, { dryRun: true });
    assertEquals([dry.total, dry.successful], [100_000, 99_999]);
    const result = await backfillExistingUsers(sql);
    assertEquals(result, { total: 100_000, successful: 99_999, skipped: 1, failed: 0, errors: [] });
    const late = newId();
    await sql`insert into public.members (id, tenant) values (${late}, 'south')`;
    assertEquals(await isUserAssignedToTrainer(sql, late), true);

    await migrateDown(url, { all: true });
    assertEquals(await catalogOf(sql), before);
    const [{ count } = { count: 0 }] = await sql<{ count: number }[]>`select count(*) from public.members`;
    assertEquals(count, 100_001);
  });

  describe("whose members are in another table", () => {
    beforeEach(async () => {
      await migrateUp(database.url);
      await database.sql.unsafe(`
        create schema auth;
        create table auth.users (user_id uuid primary key, phone text not null);
        insert into auth.users values ('${trainerId}', '1');
        insert into auth.users select gen_random_uuid(), 'x' from generate_series(1, 500);
        insert into assignment.settings (default_trainer_id) values ('${trainerId}')
          on conflict (only_row) do update set default_trainer_id = excluded.default_trainer_id;
      `);
    });

    const watch = () =>
      database.sql<[{ mirrored: number }]>`select assignment.watch('auth.users', 'user_id') as mirrored`;
    const signUp = async () => {
      const id = newId();
      await database.sql`insert into auth.users values (${id}, '2')`;
      return id;
    };

    it("mirrors and assigns existing and new members", async () => {
      const [{ mirrored }] = await watch();
      assertEquals(mirrored, 501);
      const { failed } = await backfillExistingUsers(database.sql);
      assertEquals(failed, 0);
      const unassigned = await database.sql`
        select from auth.users u
        where u.user_id <> ${trainerId}
          and not exists (select from public.trainer_client_assignments where client_id = u.user_id and status = 'active')
      `;
      assertEquals(unassigned.length, 0);
      assertEquals(await isUserAssignedToTrainer(database.sql, await signUp()), true);
    });

    it("mirrors on a second call what was missed, and nothing else", async () => {
      await watch();
      await database.sql`alter table auth.users disable trigger all`;
      const missed = await signUp();
      await database.sql`alter table auth.users enable trigger all`;
      assertEquals((await watch())[0].mirrored, 1);
      assertEquals(await isUserAssignedToTrainer(database.sql, missed), true);
      assertEquals((await watch())[0].mirrored, 0);
    });

    it("never makes a signup or a deletion there fail", async () => {
      await watch();
      await database.sql`alter table public.members add constraint refused check (false) not valid`;
      await signUp();
      await signUp().then((id) => database.sql`delete from auth.users where user_id = ${id}`);
      await database.sql`delete from auth.users where user_id = ${trainerId}`;
      const [{ count } = { count: 0 }] = await database.sql<{ count: number }[]>`
        select count(*) from public.members where id = ${trainerId}
      `;
      assertEquals(count, 1, "a trainer with clients stays");
    });

    it("deletes the assignments of a deleted member", async () => {
      await watch();
      const id = await signUp();
      await database.sql`delete from auth.users where user_id = ${id}`;
      const left = await database.sql`
        select id from public.members where id = ${id}
        union all select client_id from public.trainer_client_assignments where client_id = ${id}
      `;
      assertEquals([...left], []);
    });

    it("refuses a column that is not a uuid, and the members table itself", async () => {
      for (
        const [table, column] of [["auth.users", "phone"], ["auth.users", "nope"], ["public.members", "id"]]
      ) {
        const error = await assertRejects(
          () => database.sql`select assignment.watch(${table ?? ""}::text::regclass, ${column ?? ""})`,
          postgres.PostgresError,
        );
        assertEquals(error.code, "22023");
        assertMatch(error.message, /uuid|already/);
      }
    });

    it("is left as it was when the migrations go", async () => {
      await watch();
      await migrateDown(database.url, { all: true });
      const rows = await database.sql`
        select tgname from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal
      `;
      assertEquals([...rows], []);
      await signUp();
    });
  });
});
