import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateDown, migrateUp } from "../../../src/database/migrate.ts";
import { OperatorError } from "../../../src/errors.ts";
import { catalogOf } from "../../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

/** What an application's tools leave of a migrated database. */
const PARTIAL_STATES = {
  "an ORM dropped the assignments": "drop table public.trainer_client_assignments cascade",
  "the schema public was made anew": `
    drop schema public cascade;
    create schema public;
    create table public.members (id uuid primary key default gen_random_uuid(), email text);`,
  "the members were dropped": "drop table public.members cascade",
  "the members were swapped for a copy": `
    create table public.shadow (like public.members including all);
    alter table public.members rename to old_members;
    alter table public.shadow rename to members;`,
  "the schema assignment was dropped": "drop schema assignment cascade",
  "the record of migrations was dropped": "drop table assignment.schema_migrations",
  "functions and tables of assignment were dropped": `
    drop table assignment.failures, assignment.backfill_lanes cascade;
    drop function assignment.uuid_v7() cascade;
    drop function assignment.tg_members__assign_trainer() cascade;
    drop type assignment.member_failure cascade;`,
  "a down was broken off in the middle": `
    drop table assignment.ended_sessions;
    drop function assignment.grant_service(name, name[]);
    delete from assignment.schema_migrations where version > '20261123001500';`,
};

describe("migrate down --all from a partial state", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
  });
  afterEach(() => database.drop());

  for (const [state, statements] of Object.entries(PARTIAL_STATES)) {
    it(`leaves nothing behind, and migrate works again, when ${state}`, async () => {
      const { sql, url } = database;
      await sql.unsafe("create table public.members (id uuid primary key, email text)");
      const versions = await migrateUp(url);
      await sql.unsafe(statements);
      const own = (await sql`select relname from pg_class where relnamespace = 'public'::regnamespace`)
        .map(({ relname }) => relname).filter((name) => !name.startsWith("trainer_client_assignments"));

      await migrateDown(url, { all: true });

      const left = await sql`
        select relname from pg_class where relnamespace = 'public'::regnamespace
        union all
        select tgname from pg_trigger where not tgisinternal
        union all
        select nspname from pg_namespace where nspname = 'assignment'
      `;
      assertEquals(left.map(({ relname }) => relname).toSorted(), own.toSorted());
      assertEquals(await migrateUp(url), versions);
    });
  }

  it("removes nothing when an object of the application depends on ours, and names it", async () => {
    const { sql, url } = database;
    await migrateUp(url);
    await sql`create view public.report as select id, status from assignment.backfill_progress`;
    const before = await catalogOf(sql);
    await assertRejects(() => migrateDown(url, { all: true }), OperatorError, "view report depends on view");
    assertEquals(await catalogOf(sql), before);
  });
});
