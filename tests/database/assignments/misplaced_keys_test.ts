import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { AppError } from "../../../src/errors.ts";
import { assignClientToTrainer } from "../../../src/trainer_assignment.ts";
import { assertRecorded, countAssignments, countFailures, newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { makeDue } from "../../support/failures.ts";
import { misplaceKey } from "../../support/schema_changes.ts";

describe("an assignment that a foreign key refuses", () => {
  let database: TestDatabase;
  let id: string;
  beforeEach(async () => {
    database = await testDatabase();
    id = newId();
  });
  afterEach(() => database.drop());

  const signUp = (memberId: string) => database.sql`insert into public.members (id) values (${memberId})`;
  const assignMembers = async (memberIds: string[]) => {
    const [row] = await database.sql<
      [{ result: { successful: number; memberGone: number; failed: string[] } }]
    >`
      select json_build_object(
        'successful', r.successful,
        'memberGone', r.member_gone,
        'failed', array(select f.sqlstate from unnest(r.failures) as f)
      ) as result
      from assignment.assign_to_trainer(
        row('first', 'retry', 'a test', (select default_trainer_id from assignment.settings), null, null, null, null, false)::assignment.request,
        ${memberIds}::uuid[]
      ) as r
    `;
    return row.result;
  };

  for (const column of ["client_id", "trainer_id"] as const) {
    it(`by hand is refused with TA009 when the key of ${column} points elsewhere, not as if nobody were there`, async () => {
      const trainerId = newId();
      await misplaceKey(database.sql, column);
      await database.sql`insert into public.members (id) values (${trainerId}), (${id})`;
      const error = await assertRejects(
        () => assignClientToTrainer(database.sql, id, { trainerId }),
        AppError,
      );
      assertEquals([error.code, error.details.sqlstate], ["assignment_failed", "TA009"]);
      assertMatch(error.message, new RegExp(`trainer_client_assignments_${column}_fkey.*Run: alter table`));
    });
  }

  it("stays on the list of failures when the key points elsewhere, and leaves it when the member is gone", async () => {
    const gone = newId();
    await misplaceKey(database.sql, "client_id");
    await signUp(id);
    await signUp(gone);
    await database.sql`delete from public.members where id = ${gone}`;
    await makeDue(database.sql);
    assertEquals(await retryFailures(database.sql), { retried: 1, succeeded: 0, failed: 1, remaining: 0 });
    await assertRecorded(database.sql, [id], "TA009");
    assertEquals(await countFailures(database.sql), 1);
  });

  it("distinguishes deleted members from refused ones, and assigns the others", async () => {
    const before = newId();
    await database.sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    await signUp(before);
    await misplaceKey(database.sql, "client_id");
    await signUp(id);
    assertEquals(await assignMembers([before, id, newId(), newId()]), {
      successful: 1,
      memberGone: 2,
      failed: ["TA009"],
    });
  });

  it("is a failure of a member who is a row of an inheriting table, which no key sees", async () => {
    await database.sql`create table public.vip_members (level integer) inherits (public.members)`;
    await database.sql`insert into public.vip_members (id) values (${id})`;
    assertEquals(await assignMembers([id, newId()]), { successful: 0, memberGone: 1, failed: ["23503"] });
  });

  it("is a failure when a trigger of the application's raises the key's error of a member who is there", async () => {
    await database.sql.unsafe(`
      create function public.interfere() returns trigger language plpgsql as $$
      begin
        raise exception using errcode = '23503', constraint = 'trainer_client_assignments_client_id_fkey';
      end $$;
      create trigger interfere before insert on public.trainer_client_assignments
        for each row execute function public.interfere();
    `);
    await signUp(id);
    await assertRecorded(database.sql, [id], "23503");
  });

  it("is of a member who is gone when a trigger of the application's refuses whom it does not find", async () => {
    await database.sql.unsafe(`
      create function public.interfere() returns trigger language plpgsql as $$
      begin
        perform from public.members where id = new.client_id;
        if not found then raise exception 'no such client'; end if;
        return new;
      end $$;
      create trigger interfere before insert on public.trainer_client_assignments
        for each row execute function public.interfere();
    `);
    assertEquals(await assignMembers([newId()]), { successful: 0, memberGone: 1, failed: [] });
  });

  it("is of a member who is gone, also where policies hide the members from the owner of the functions", async () => {
    const role = `owner_${newId().slice(0, 8)}`;
    await database.sql.unsafe(`
      create role ${role};
      alter table public.members enable row level security;
      grant usage on schema public, assignment to ${role};
      grant select on public.members, assignment.settings, assignment.trainers to ${role};
      grant select, insert on public.trainer_client_assignments to ${role};
      grant execute on all functions in schema assignment to ${role};
    `);
    try {
      const session = database.newConnection();
      await session.unsafe(`set role ${role}`);
      const judge = async (memberId: string) => {
        const [row] = await session<[{ memberGone: number; failed: number }]>`
          select member_gone, cardinality(failures) as failed
          from assignment.assign_to_trainer(
            row('first', 'retry', 'a test', (select default_trainer_id from assignment.settings), null, null, null, null, false)::assignment.request,
            array[${memberId}]::uuid[]
          )
        `;
        return { ...row };
      };
      assertEquals(await judge(newId()), { memberGone: 1, failed: 0 });
      await database.sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
      await misplaceKey(database.sql, "client_id");
      await database.sql.unsafe(`grant select on public.former_members to ${role}`);
      await signUp(id);
      assertEquals(await judge(id), { memberGone: 0, failed: 1 });
    } finally {
      await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  });

  it("raises for the whole batch when the trainer's key does, with what to do", async () => {
    const trainerId = newId();
    await misplaceKey(database.sql, "trainer_id");
    await database.sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    await signUp(trainerId);
    await signUp(id);
    await database.sql`update assignment.settings set default_trainer_id = ${trainerId}`;
    const error = await assertRejects(() => assignMembers([id]), postgres.PostgresError);
    assertEquals(error.code, "TA009");
    assertEquals(await countAssignments(database.sql, [id]), 0);
  });
});
