import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import {
  findStructureProblem,
  migrateDown,
  migrateRepair,
  migrateUp,
} from "../../../src/database/migrate.ts";
import { OperatorError } from "../../../src/errors.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import { backfillExistingUsers, DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { catalogOf } from "../../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("migrate repair", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    await database.sql.unsafe(
      "create table public.members (id uuid primary key default gen_random_uuid(), email text)",
    );
    await migrateUp(database.url);
    await database.sql.unsafe(`
      insert into public.members values ('${DEFAULT_TRAINER_ID}', 'coach');
      insert into public.members (email) select 'a' || n from generate_series(1, 3) n;
    `);
  });
  afterEach(() => database.drop());

  const countActive = async () =>
    (await database.sql`select from public.trainer_client_assignments where status = 'active'`).length;
  const addMember = () => database.sql`insert into public.members (email) values ('new')`;

  it("changes nothing when nothing is missing or different", async () => {
    const before = await catalogOf(database.sql);
    assertEquals(await migrateRepair(database.url), {
      repaired: [],
      unrepaired: [],
      notes: [],
      unassigned: 0,
    });
    assertEquals(await catalogOf(database.sql), before);
  });

  it("creates the assignments table again after an ORM dropped it, and says that its rows are lost", async () => {
    const { sql, url } = database;
    const before = await catalogOf(sql);
    await sql`drop table trainer_client_assignments cascade`;
    assertStringIncludes(
      await findStructureProblem(sql) ?? "",
      "table public.trainer_client_assignments is missing; run: deno task migrate repair",
    );

    const { repaired, unrepaired, notes, unassigned } = await migrateRepair(url);

    assertEquals(repaired, ["table public.trainer_client_assignments is missing"]);
    assertEquals([unrepaired, unassigned], [[], 3]);
    assertMatch(notes.join(), /the assignments .+ are lost: only a backup has them/);
    assertEquals(await catalogOf(sql), before);
    await addMember();
    assertEquals(await countActive(), 1);
    await backfillExistingUsers(sql);
    assertEquals((await checkHealth(sql)).status, "ready");
  });

  it("repairs the database after a reset of the schema public, and keeps settings and failures", async () => {
    const { sql, url } = database;
    await sql`update assignment.settings set updated_by = 'ops'`;
    await sql`drop schema public cascade`;
    await sql.unsafe(`
      create schema public;
      grant usage on schema public to public;
      create table members (id uuid primary key default gen_random_uuid(), email text);
      insert into members (id) values ('${DEFAULT_TRAINER_ID}');
      insert into members (email) values ('early');
    `);

    const { unrepaired, unassigned } = await migrateRepair(url);

    assertEquals([unrepaired, unassigned], [[], 1]);
    assertEquals((await checkHealth(sql)).status, "ready");
    assertEquals((await sql`select from assignment.settings where updated_by = 'ops'`).length, 1);
    await addMember();
    assertEquals(await countActive(), 1);
  });

  it("puts keys and trigger on a new members table, and says which rows name nobody", async () => {
    const { sql, url } = database;
    await sql`drop table members cascade`;
    await sql.unsafe(`
      create table members (id uuid primary key default gen_random_uuid(), email text);
      insert into members (id, email) values ('${DEFAULT_TRAINER_ID}', 'coach');
    `);

    const first = await migrateRepair(url);
    assertMatch(
      first.unrepaired.join("\n"),
      /^constraint trainer_client_assignments_client_id_fkey of public\.trainer_client_assignments holds for new rows, but 3 existing ones name a client_id that is not in public\.members/,
    );
    const { checks } = await checkHealth(sql);
    assertStringIncludes(
      checks.schema.detail,
      "constraint trainer_client_assignments_client_id_fkey of public.trainer_client_assignments is not validated",
    );
    await addMember();
    assertEquals(await countActive(), 4);

    const remedy = /run: (delete .+?); then/.exec(first.unrepaired.join())?.[1] ?? "";
    await sql.unsafe(remedy);
    assertEquals((await migrateRepair(url)).unrepaired, []);
    assertEquals((await checkHealth(sql)).status, "ready");
  });

  it("points keys and trigger at the table that an online schema change swapped in", async () => {
    const { sql, url } = database;
    await sql.unsafe(`
      create table shadow (like members including all);
      alter table shadow add column phone text;
      insert into shadow (id, email) select id, email from members;
      alter table members rename to old_members;
      alter table shadow rename to members;
    `);
    const { checks } = await checkHealth(sql);
    for (const key of ["client_id", "trainer_id"]) {
      assertStringIncludes(
        checks.schema.detail,
        `constraint trainer_client_assignments_${key}_fkey of public.trainer_client_assignments points at public.old_members instead of public.members`,
      );
    }
    assertStringIncludes(checks.trigger.detail, "missing");

    const { unrepaired } = await migrateRepair(url);

    assertEquals(unrepaired, []);
    await addMember();
    assertEquals(await countActive(), 4);
    assertEquals((await checkHealth(sql)).status, "ready");
    await sql`drop table old_members`;
  });

  it("points keys and trigger at the mirror of a members table with child tables that was adopted before", async () => {
    const { sql, url } = database;
    await sql.unsafe(`
      create table premium_members (tier text) inherits (members);
      insert into premium_members (email) values ('gold1');
      alter table members rename to people;
      create table members (id uuid primary key);
      select assignment.watch('public.people', 'id');
      select assignment.watch('public.premium_members', 'id');
    `);
    assertEquals((await migrateRepair(url)).unrepaired, []);
    await sql`insert into people (email) values ('plain2')`;
    await sql`insert into premium_members (email) values ('gold2')`;
    assertEquals(await countActive(), 5);
    await backfillExistingUsers(sql);
    assertEquals(await countActive(), 6);
    assertEquals((await checkHealth(sql)).status, "ready");
  });

  for (
    const [what, statements] of [
      ["indexes", "drop index trainer_client_assignments_active_key, assignment.failures_new_idx"],
      [
        "an index that stands for other columns",
        `
        drop index trainer_client_assignments_client_id_status_idx;
        create index trainer_client_assignments_client_id_status_idx on trainer_client_assignments (status)`,
      ],
      [
        "constraints",
        `
        alter table trainer_client_assignments drop constraint status_is_known, drop constraint trainer_client_assignments_pkey;
        alter table assignment.backfill_lanes drop constraint backfill_lanes_run_id_fkey`,
      ],
      ["columns", "alter table trainer_client_assignments drop column notes, drop column ended_at"],
      [
        "a default and a not null",
        `
        alter table trainer_client_assignments alter column id drop default, alter column status drop not null`,
      ],
      [
        "functions, views and types",
        `
        drop view assignment.backfill_progress, assignment.members_trigger;
        drop type assignment.member_failure cascade;
        drop function assignment.uuid_v7() cascade`,
      ],
      [
        "an invalid index",
        `
        update pg_index set indisvalid = false where indexrelid = 'trainer_client_assignments_active_key'::regclass`,
      ],
      [
        "what a person rebuilt in part",
        `
        alter table trainer_client_assignments drop constraint trainer_client_assignments_client_id_fkey;
        alter table trainer_client_assignments
          add constraint trainer_client_assignments_client_id_fkey foreign key (client_id) references members (id)`,
      ],
      ["the schema assignment", "drop schema assignment cascade"],
      ["the record of migrations", "drop table assignment.schema_migrations"],
      [
        "triggers",
        `
        drop trigger members_assign_trainer_after_insert on members;
        drop trigger backfill_runs_guard_status_after_write on assignment.backfill_runs`,
      ],
    ] as const
  ) {
    it(`creates ${what} again, and leaves the assignments alone`, async () => {
      const { sql, url } = database;
      const before = (await catalogOf(sql)).filter(isComparable).toSorted();
      await sql.unsafe(statements);
      const { unrepaired, unassigned } = await migrateRepair(url);
      assertEquals([unrepaired, unassigned], [[], 0]);
      assertEquals((await catalogOf(sql)).filter(isComparable).toSorted(), before);
      assertEquals(await countActive(), 3);
      await addMember();
      assertEquals(await countActive(), 4);
      assertEquals((await checkHealth(sql)).status, "ready");
    });
  }

  it("continues after what it cannot create, and says why", async () => {
    const { sql, url } = database;
    await sql.unsafe(`
      drop index trainer_client_assignments_active_key, trainer_client_assignments_client_id_status_idx;
      insert into trainer_client_assignments (client_id, trainer_id) select client_id, trainer_id from trainer_client_assignments limit 1;
    `);
    const { repaired, unrepaired } = await migrateRepair(url);
    assertEquals(repaired, ["index public.trainer_client_assignments_client_id_status_idx is missing"]);
    assertMatch(
      unrepaired.join(),
      /^index public\.trainer_client_assignments_active_key is missing: could not create unique index .+ is duplicated\./,
    );
    assertEquals(await countActive(), 4);
  });

  it("grants rights on new objects to the service's role and to nobody else", async () => {
    const { sql, url } = database;
    const service = await database.newServicePool();
    await sql.unsafe(`
      create role ${database.name}_stranger;
      alter default privileges in schema public grant all on tables to ${database.name}_stranger;
    `);
    try {
      await sql`drop table trainer_client_assignments cascade`;
      await migrateRepair(url);
      assertEquals((await checkHealth(service)).status, "ready");
      assertEquals((await service`select from public.trainer_client_assignments`).length, 0);
      const [rights] = await sql`
        select has_table_privilege(${`${database.name}_stranger`}, 'public.trainer_client_assignments', 'delete') as may
      `;
      assertEquals(rights?.may, false);
    } finally {
      await sql.unsafe(`drop owned by ${database.name}_stranger; drop role ${database.name}_stranger`);
    }
  });

  it("repairs what its role may, and leaves the trigger of another role's table to that role", async () => {
    const foreign = await testDatabase({ migrated: false });
    const owner = `${foreign.name}_owner`;
    const ownerUrl = Object.assign(new URL(foreign.url), { username: owner, password: "secret" }).href;
    const grants = `
      grant references, trigger on public.members to ${owner};
      grant select on public.members to ${owner} with grant option;`;
    try {
      await foreign.sql.unsafe(`
        create role ${owner} login password 'secret';
        grant create on database ${foreign.name} to ${owner};
        grant usage, create on schema public to ${owner};
        create table public.members (id uuid primary key);
        ${grants}
        insert into public.members values ('${DEFAULT_TRAINER_ID}');
      `);
      await migrateUp(ownerUrl);
      await foreign.sql.unsafe(`
        create table public.shadow (like public.members including all);
        insert into public.shadow select * from public.members;
        alter table public.members rename to old_members;
        alter table public.shadow rename to members;
        ${grants}
      `);

      const { unrepaired } = await migrateRepair(ownerUrl);

      assertEquals(unrepaired.length, 1);
      assertStringIncludes(
        unrepaired.join(),
        "(drop trigger members_assign_trainer_after_insert on public.old_members): must be owner of",
      );
      assertEquals((await checkHealth(foreign.sql)).status, "ready");
    } finally {
      await foreign.drop();
      await database.sql.unsafe(`drop role ${owner}`);
    }
  });

  for (
    const [what, statements, remedy] of [
      [
        "members was renamed",
        "alter table members rename to app_members",
        /run: alter table public\.app_members rename to members$/,
      ],
      ["members is gone", "drop table members cascade", /table public\.members is missing: create it again/],
      [
        "its id was renamed",
        "alter table members rename column id to member_id",
        /alter table public\.members rename column member_id to id$/,
      ],
      [
        "the assignments were moved",
        "create schema app; alter table trainer_client_assignments set schema app",
        /app\.trainer_client_assignments seems to be it\. If it is, run: alter table app\.trainer_client_assignments set schema public;/,
      ],
      [
        "the failures were renamed",
        "alter table assignment.failures rename to old_failures",
        /run: alter table assignment\.old_failures rename to failures;/,
      ],
    ] as const
  ) {
    it(`changes nothing when ${what}, and says which statement repairs it`, async () => {
      const { sql, url } = database;
      await sql.unsafe(statements);
      const before = await catalogOf(sql);
      const { message } = await assertRejects(() => migrateRepair(url), OperatorError);
      assertMatch(message, remedy);
      assertEquals(await catalogOf(sql), before);
    });
  }

  it("leaves an application's own table of that name alone, and so does `migrate down --all`", async () => {
    const other = await testDatabase({ migrated: false });
    try {
      await other.sql`create table public.trainer_client_assignments (id bigint primary key)`;
      await other.sql`insert into public.trainer_client_assignments values (1)`;
      await assertRejects(() => migrateRepair(other.url), OperatorError, "was never migrated");
      await assertRejects(() => migrateUp(other.url), OperatorError, "already exists");
      await migrateDown(other.url, { all: true });
      assertEquals((await other.sql`select from public.trainer_client_assignments`).length, 1);
    } finally {
      await other.drop();
    }
  });

  /** The server's own function from PostgreSQL 18 on, one in SQL in the file. */
  function isComparable(line: string): boolean {
    return !line.startsWith("function CREATE OR REPLACE FUNCTION assignment.uuid_v7()");
  }
});
