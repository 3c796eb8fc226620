import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
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
import { addMember, applicationDatabase, countActive } from "./application_database.ts";

describe("migrate repair", () => {
  let template: TestDatabase;
  let database: TestDatabase;
  beforeAll(async () => {
    template = await applicationDatabase();
  });
  beforeEach(async () => {
    database = await testDatabase({ template });
  });
  afterEach(() => database.drop());
  afterAll(() => template.drop());

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
    await addMember(sql);
    assertEquals(await countActive(sql), 1);
    await backfillExistingUsers(sql);
    assertEquals((await checkHealth(sql)).status, "ready");
  });

  it("repairs the database after a reset of the schema public, and keeps settings and failures", async () => {
    const { sql, url } = database;
    await sql`update assignment.settings set respects_other_trainers = true`;
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
    assertEquals((await sql`select from assignment.settings where respects_other_trainers`).length, 1);
    await addMember(sql);
    assertEquals(await countActive(sql), 1);
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
      assertEquals(await countActive(sql), 3);
      await addMember(sql);
      assertEquals(await countActive(sql), 4);
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
    assertEquals(await countActive(sql), 4);
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
