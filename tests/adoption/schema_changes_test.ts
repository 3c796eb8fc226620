/** docs/adopting.md: what tools and triggers of the application's do to its tables while the service runs. */
import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { listFailures, retryFailures } from "../../src/assignments/failures.ts";
import {
  assignClientToTrainer,
  backfillExistingUsers,
  DEFAULT_TRAINER_ID,
  isUserAssignedToTrainer,
} from "../../src/trainer_assignment.ts";
import { assertAssigned, assertRecorded, newId } from "../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { CREATE_TRIGGER, runMend, swapMembers } from "../support/schema_changes.ts";

describe("when the table of members", () => {
  let database: TestDatabase;
  let id: string;
  beforeEach(async () => {
    database = await testDatabase();
    id = newId();
  });
  afterEach(() => database.drop());

  it("was swapped by an online schema change, new members are recorded, and assigned once the key is repaired", async () => {
    const { sql } = database;
    await swapMembers(sql);
    await sql`insert into public.members (id) values (${id})`;
    await assertRecorded(sql, [id], "TA009");

    const night = await backfillExistingUsers(sql);
    assertEquals([night.failed, night.errors.map(({ code }) => code)], [1, ["TA009"]]);
    const [failure] = await listFailures(sql, { limit: 1 });
    assertMatch(failure?.message ?? "", /points at public\.old_members \(id\)/);

    await runMend(sql, failure?.message ?? "");
    await retryFailures(sql);
    assertEquals(await isUserAssignedToTrainer(sql, id), true);
  });

  it("was dropped and created again, new members are assigned once it has the trigger again", async () => {
    const { sql } = database;
    await sql.unsafe(`
      drop table public.members cascade;
      create table public.members (id uuid primary key default gen_random_uuid(), email text);
      insert into public.members (id, email) values ('${DEFAULT_TRAINER_ID}', 'coach');
      ${CREATE_TRIGGER}
    `);
    await sql`insert into public.members (id) values (${id})`;
    await assertAssigned(sql, [id]);
    const other = newId();
    await sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    await sql`insert into public.members (id) values (${other})`;
    assertEquals((await assignClientToTrainer(sql, other)).assigned, true);
    assertEquals((await backfillExistingUsers(sql)).failed, 0);
  });
});

describe("when a trigger of the application's", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("gives each new member another id, they are assigned under it", async () => {
    const { sql } = database;
    await sql.unsafe(`
      create function public.rewrite() returns trigger language plpgsql as
      $$ begin update public.members set id = gen_random_uuid() where id = new.id; return null; end $$;
      create trigger aaa after insert on public.members for each row execute function public.rewrite();
    `);
    await sql`insert into public.members (email) values ('rewritten')`;
    const [member] = await sql<{ id: string }[]>`select id from public.members where email = 'rewritten'`;
    await assertAssigned(sql, [member?.id ?? ""]);
  });

  it("on the assignments names a table without its schema, the failure says which statement solves it", async () => {
    const { sql } = database;
    const id = newId();
    await sql.unsafe(`
      create table public.audit (client_id uuid);
      create function public.keep_audit() returns trigger language plpgsql
        as 'begin insert into audit values (new.client_id); return new; end';
      create trigger keep_audit after insert on public.trainer_client_assignments
        for each row execute function public.keep_audit();
    `);
    await sql`insert into public.members (id) values (${id})`;
    await assertRecorded(sql, [id], "42P01");
    const [failure] = await listFailures(sql, { limit: 1 });
    assertMatch(
      failure?.message ?? "",
      /^relation "audit" does not exist\. Triggers on .* write names there with their schema, or run: /,
    );
    await sql.unsafe(failure?.message.replace(/^.*or run: /, "") ?? "");
    await retryFailures(sql);
    assertEquals(await isUserAssignedToTrainer(sql, id), true);
  });
});
