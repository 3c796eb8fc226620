import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { endAssignment } from "../../../src/trainer_assignment.ts";
import {
  assertAssigned,
  assertRecorded,
  countAssignments,
  countFailures,
  newId,
  newIds,
} from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../../support/members.ts";

describe("a member whose id the application changes", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await database.sql.unsafe(`
      create function public.rewrite() returns trigger language plpgsql as $$
      begin update public.members set id = gen_random_uuid() where id = new.id; return null; end $$;
      create function public.rewrite_all() returns trigger language plpgsql as $$
      begin update public.members set id = gen_random_uuid() where email = 'rewritten'; return null; end $$;
      create function public.rewrite_new() returns trigger language plpgsql as $$
      begin new.id := gen_random_uuid(); return new; end $$;
      create function public.touch() returns trigger language plpgsql as $$
      begin update public.members set display_name = 'touched' where id = new.id; return null; end $$;
    `);
  });
  afterEach(() => database.drop());

  const signUp = (ids: string[]) =>
    database.sql`insert into public.members (id, email) select unnest(${ids}::uuid[]), 'rewritten'`;
  const rewrittenIds = async () =>
    (await database.sql<
      { id: string }[]
    >`select id from public.members where email = 'rewritten' order by id`)
      .map(({ id }) => id);

  for (
    const [when, triggers] of [
      ["in a row trigger after the insert", [
        "trigger aaa after insert on public.members for each row execute function public.rewrite()",
      ]],
      ["in a statement trigger that fires before ours", [
        "trigger aaa after insert on public.members for each statement execute function public.rewrite_all()",
      ]],
      ["in a statement trigger that fires after ours", [
        "trigger zzz after insert on public.members for each statement execute function public.rewrite_all()",
      ]],
      ["in a trigger before the insert", [
        "trigger aaa before insert on public.members for each row execute function public.rewrite_new()",
      ]],
      ["in a trigger before an update of something else", [
        "trigger aaa after insert on public.members for each row execute function public.touch()",
        "trigger bbb before update on public.members for each row execute function public.rewrite_new()",
      ]],
      ["in a constraint trigger at the end of the statement", [
        "constraint trigger aaa after insert on public.members for each row execute function public.rewrite()",
      ]],
      ["in a constraint trigger at the commit", [
        "constraint trigger aaa after insert on public.members deferrable initially deferred for each row execute function public.rewrite()",
      ]],
    ] as const
  ) {
    it(`${when} is assigned under the new id`, async () => {
      for (const trigger of triggers) await database.sql.unsafe(`create ${trigger}`);
      const ids = newIds(3);
      await signUp(ids);
      const now = await rewrittenIds();
      assertEquals([now.length, now.some((id) => ids.includes(id))], [3, false]);
      await assertAssigned(database.sql, now);
      assertEquals(await countAssignments(database.sql, ids), 0);
    });

    it(`${when} is recorded under the new id, and assigned by the retry`, async () => {
      for (const trigger of triggers) await database.sql.unsafe(`create ${trigger}`);
      await refuseAssignments(database.sql, "true");
      const ids = newIds(3);
      await signUp(ids);
      const now = await rewrittenIds();
      await assertRecorded(database.sql, now, "P0001");

      await acceptAssignments(database.sql);
      await retryFailures(database.sql);
      assertEquals([await countAssignments(database.sql, now), await countFailures(database.sql)], [3, 0]);
    });
  }

  it("among others of one statement leaves no failure behind", async () => {
    await database.sql.unsafe(`
      create trigger aaa after insert on public.members for each row
        when (new.email = 'rewritten') execute function public.rewrite();
    `);
    const others = newIds(200);
    await database.sql`
      insert into public.members (id, email)
      select id, 'other' from unnest(${others}::uuid[]) as other (id)
      union all
      select gen_random_uuid(), 'rewritten' from generate_series(1, 1500)
    `;
    const now = await rewrittenIds();
    assertEquals(now.length, 1500);
    await assertAssigned(database.sql, now);
    await assertAssigned(database.sql, others);
  });

  it("later keeps a recorded failure, with the requested trainer", async () => {
    const [id, newOne, trainerId] = [newId(), newId(), newId()];
    await database.sql`insert into public.members (id) values (${trainerId})`;
    await refuseAssignments(database.sql, "true");
    await database.sql`insert into public.members (id) values (${id})`;
    await database.sql`update assignment.failures set requested_trainer_id = ${trainerId}`;
    await database.sql`update public.members set id = ${newOne} where id = ${id}`;
    assertEquals([...await database.sql`select member_id, requested_trainer_id from assignment.failures`], [
      { memberId: newOne, requestedTrainerId: trainerId },
    ]);
  });

  it("later keeps an ended assignment, and gets no other", async () => {
    const [id, newOne] = [newId(), newId()];
    await database.sql`insert into public.members (id) values (${id})`;
    const [{ trainerId }] = await database.sql<[{ trainerId: string }]>`
      select default_trainer_id as trainer_id from assignment.settings
    `;
    await endAssignment(database.sql, trainerId, id);
    await database.sql`update public.members set id = ${newOne} where id = ${id}`;
    const rows = await database.sql`select client_id, status from public.trainer_client_assignments`;
    assertEquals([...rows], [{ clientId: newOne, status: "inactive" }]);
  });

  for (
    const [what, statement] of [
      ["the failures table is dropped", "drop table assignment.failures"],
      ["the assignments table is dropped", "drop table public.trainer_client_assignments"],
      ["the column id has got another name", "alter table public.members rename column id to member_id"],
    ] as const
  ) {
    it(`can be changed although ${what}`, async () => {
      await addUnseenMembers(database.sql, 1);
      await database.sql.unsafe(statement);
      const column = what.includes("column") ? "member_id" : "id";
      const changed = await database.sql.unsafe(
        `update public.members set ${column} = gen_random_uuid()
         where ${column} <> 'd18a21c8-be77-496f-a2fd-ec6479ecba6d' returning 1`,
      );
      assertEquals(changed.length, 1);
    });
  }
});
