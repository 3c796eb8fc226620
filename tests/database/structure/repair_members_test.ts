import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateRepair, migrateUp } from "../../../src/database/migrate.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import { backfillExistingUsers, DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addMember, applicationDatabase, countActive } from "./application_database.ts";

describe("migrate repair when members is another table", () => {
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
    await addMember(sql);
    assertEquals(await countActive(sql), 4);

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
    await addMember(sql);
    assertEquals(await countActive(sql), 4);
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
    assertEquals(await countActive(sql), 5);
    await backfillExistingUsers(sql);
    assertEquals(await countActive(sql), 6);
    assertEquals((await checkHealth(sql)).status, "ready");
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
});
