import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { listFailures, retryFailures } from "../../../src/assignments/failures.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import {
  assertAssigned,
  assertRecorded,
  countAssignments,
  countFailures,
  newId,
  newIds,
} from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { misplaceKey, runMend } from "../../support/schema_changes.ts";

describe("a signup while a foreign key of the assignments points elsewhere", () => {
  let database: TestDatabase;
  let id: string;
  beforeEach(async () => {
    database = await testDatabase();
    id = newId();
  });
  afterEach(() => database.drop());

  const signUp = (ids: string[]) =>
    database.sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  const messageOf = async () => (await listFailures(database.sql, { limit: 1 }))[0]?.message ?? "";

  it("is recorded when the client's key does, with the statement that lets the retry succeed", async () => {
    await misplaceKey(database.sql, "client_id");
    await signUp([id]);
    await assertRecorded(database.sql, [id], "TA009");
    const message = await messageOf();
    assertMatch(
      message,
      /^foreign key trainer_client_assignments_client_id_fkey .* points at public\.former_members \(id\), not at public\.members \(id\)/,
    );
    await runMend(database.sql, message);
    assertEquals(await retryFailures(database.sql), { retried: 1, succeeded: 1, failed: 0, remaining: 0 });
    assertEquals([await countAssignments(database.sql, [id]), await countFailures(database.sql)], [1, 0]);
  });

  it("is recorded when the trainer's key does and the trainer is a new member", async () => {
    const trainerId = newId();
    await misplaceKey(database.sql, "trainer_id");
    await database.sql`insert into public.members (id) values (${trainerId})`;
    await database.sql`update assignment.settings set default_trainer_id = ${trainerId}`;
    await signUp([id]);
    await assertRecorded(database.sql, [id], "TA009");
    await runMend(database.sql, await messageOf());
    await retryFailures(database.sql);
    assertEquals([await countAssignments(database.sql, [id]), await countFailures(database.sql)], [1, 0]);
  });

  it("is recorded when the key follows a renamed column to another id", async () => {
    await database.sql.unsafe(`
      alter table public.members rename column id to legacy_id;
      alter table public.members add column id uuid unique default gen_random_uuid();
    `);
    await database.sql`update public.members set id = legacy_id`;
    await database.sql`insert into public.members (id) values (${id})`;
    await assertRecorded(database.sql, [id], "TA009");
    assertMatch(await messageOf(), /points at public\.members \(legacy_id\), not at public\.members \(id\)/);
  });

  it("is recorded for each of 2,000 members of one statement, with what to do", async () => {
    await misplaceKey(database.sql, "client_id");
    const ids = newIds(2000);
    await signUp(ids);
    await assertRecorded(database.sql, ids, "TA009");
    assertMatch(await messageOf(), /Run: alter table/);
  });

  it("is assigned when a key was renamed, and a member deleted at once leaves no failure", async () => {
    await database.sql.unsafe(`
      alter table public.trainer_client_assignments
        rename constraint trainer_client_assignments_client_id_fkey to fk_rails_1c8f2c1d7e;
      create function public.delete_at_once() returns trigger language plpgsql
        as $$ begin delete from public.members where id = new.id; return null; end $$;
      create trigger aaa after insert on public.members for each row
        when (new.email = 'gone') execute function public.delete_at_once();
    `);
    await database.sql`insert into public.members (id, email) values (${id}, 'stays'), (${newId()}, 'gone')`;
    await assertAssigned(database.sql, [id]);
  });

  it("is recorded when the members' table was renamed, and its old name is another's", async () => {
    await database.sql.unsafe(`
      alter table public.members rename to users;
      create table public.members (id uuid primary key);
      insert into public.members values ('${DEFAULT_TRAINER_ID}');
      drop trigger members_assign_trainer_after_insert on public.users;
      create trigger members_assign_trainer_after_insert after insert on public.members
        referencing new table as new_members for each statement
        execute function assignment.tg_members__assign_trainer();
    `);
    await signUp([id]);
    await assertRecorded(database.sql, [id], "TA009");
    assertMatch(await messageOf(), /points at public\.users \(id\)/);
  });
});
