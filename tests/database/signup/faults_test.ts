import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { startBackfill } from "../../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import {
  assertAssigned,
  assertRecorded,
  countFailures,
  countMembers,
  newId,
} from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { warningsOf } from "../../support/notices.ts";
import { describeByPolicy } from "../../support/signup_policies.ts";

describeByPolicy("a signup commits and is recorded when", (policy) => {
  let database: TestDatabase;
  let id: string;
  beforeEach(async () => {
    database = await testDatabase();
    await policy.put(database.sql);
    id = newId();
  });
  afterEach(() => database.drop());

  const signUp = () => database.sql`insert into public.members (id) values (${id})`;

  it("the default trainer is not a member", async () => {
    await database.sql`delete from public.members where id = ${DEFAULT_TRAINER_ID}`;
    await signUp();
    await assertRecorded(database.sql, [id], "23503");
  });

  it("the settings are empty", async () => {
    await database.sql`delete from assignment.settings`;
    await signUp();
    await assertRecorded(database.sql, [id], "TA001");
  });

  it("the settings table is dropped", async () => {
    await database.sql`drop table assignment.settings cascade`; // set_default_trainer returns its rows
    await signUp();
    await assertRecorded(database.sql, [id], "42P01");
  });

  it("another session has locked the assignments table", async () => {
    await database.newConnection().begin(async (locker) => {
      await locker`lock table public.trainer_client_assignments in access exclusive mode`;
      await signUp();
    });
    await assertRecorded(database.sql, [id], "55P03");
  });

  it("another session has locked the settings", async () => {
    await database.newConnection().begin(async (locker) => {
      await locker`lock table assignment.settings in access exclusive mode`;
      await signUp();
    });
    await assertRecorded(database.sql, [id], "55P03");
  });

  it("another session has locked the trainer's row", async () => {
    await database.newConnection().begin(async (locker) => {
      await locker`select from public.members where id = ${DEFAULT_TRAINER_ID} for update`;
      await signUp();
    });
    await assertRecorded(database.sql, [id], "55P03");
  });

  it("the assignments table is dropped", async () => {
    await database.sql`drop table public.trainer_client_assignments`;
    await signUp();
    await assertRecorded(database.sql, [id], "42P01");
  });

  if (policy.hasRules) {
    it("the index that keeps assignments unique is dropped", async () => {
      await database.sql`drop index public.trainer_client_assignments_active_key`;
      await signUp();
      await assertRecorded(database.sql, [id], "42P10");
    });
  }

  it("a column that the application added to the assignments requires a value", async () => {
    await database.sql`alter table public.trainer_client_assignments add column price numeric not null`;
    await signUp();
    await assertRecorded(database.sql, [id], "23502");
  });

  it("a check on the assignments refuses the row", async () => {
    await database.sql`alter table public.trainer_client_assignments add constraint no_more check (false)`;
    await signUp();
    await assertRecorded(database.sql, [id], "23514");
  });

  for (
    const [what, action, sqlstate] of [
      ["raises", "raise exception 'refused'", "P0001"],
      ["fails an assertion", "assert false", "P0004"],
      ["divides by zero", "perform 1 / 0", "22012"],
      ["says that a resource is lacking", "raise exception using errcode = 'disk_full'", "53100"],
      [
        "says that the transaction should be tried again",
        "raise exception using errcode = 'serialization_failure'",
        "40001",
      ],
      [
        "names the constraint of the trainer's foreign key",
        "raise exception using errcode = '23503', constraint = 'trainer_client_assignments_trainer_id_fkey'",
        "23503",
      ],
      ["keeps the row out without a word", "return null", "TA008"],
    ] as const
  ) {
    it(`a trigger on the assignments ${what}`, async () => {
      await database.sql.unsafe(`
        create function public.interfere() returns trigger language plpgsql as 'begin ${
        action.replaceAll("'", "''")
      }; return new; end';
        create trigger interfere before insert on public.trainer_client_assignments
          for each row execute function public.interfere();
      `);
      await signUp();
      await assertRecorded(database.sql, [id], sqlstate);
    });
  }

  it("a rule on the assignments keeps the row out without an error", async () => {
    await database
      .sql`create rule nothing as on insert to public.trainer_client_assignments do instead nothing`;
    await signUp();
    await assertRecorded(database.sql, [id], "TA008");
  });

  it("it records which members of a statement a trigger keeps out without an error", async () => {
    const fine = newId();
    await database.sql.unsafe(`
      create function public.interfere() returns trigger language plpgsql as 'begin return null; end';
      create trigger interfere before insert on public.trainer_client_assignments
        for each row when (new.client_id = '${id}') execute function public.interfere();
    `);
    await database.sql`insert into public.members (id) values (${id}), (${fine})`;
    await assertRecorded(database.sql, [id], "TA008");
    await database.sql`delete from assignment.failures`;
    await assertAssigned(database.sql, [fine]);
  });
});

describeByPolicy("a signup commits with a warning when it cannot even be recorded because", (policy) => {
  let database: TestDatabase;
  let id: string;
  beforeEach(async () => {
    database = await testDatabase();
    await policy.put(database.sql);
    id = newId();
    await database
      .sql`alter table public.trainer_client_assignments add constraint no_more check (false) not valid`;
  });
  afterEach(() => database.drop());

  async function assertWarned(): Promise<void> {
    const warnings = await warningsOf(database.url, `insert into public.members (id) values ('${id}')`);
    assertEquals(warnings.length, 1);
    assertMatch(warnings[0] ?? "", new RegExp(`1 new member.*${id}.*neither assigned nor recorded`));
    assertEquals(await countMembers(database.sql, [id]), 1);
  }

  it("the members' column id was renamed", async () => {
    await database.sql`alter table public.members rename column id to member_id`;
    const warnings = await warningsOf(
      database.url,
      `insert into public.members (member_id) values ('${id}')`,
    );
    assertMatch(
      warnings.join("\n"),
      /^trainer assignment: new members are neither assigned nor recorded as failed: .*column "id"/,
    );
    assertEquals((await database.sql`select from public.members where member_id = ${id}`).length, 1);
  });

  it("the failures table is dropped, and the reconciliation finds the member", async () => {
    await database.sql`drop table assignment.failures`;
    await assertWarned();

    await database.sql`alter table public.trainer_client_assignments drop constraint no_more`;
    const run = await startBackfill(database.sql, { requestedBy: "test" });
    await database.sql`select assignment.backfill_step(${run.id})`;
    const rows = await database
      .sql`select source from public.trainer_client_assignments where client_id = ${id}`;
    assertEquals([...rows], [{ source: "backfill" }]);
  });

  it("another session has locked the failures table", async () => {
    await database.newConnection().begin(async (locker) => {
      await locker`lock table assignment.failures in access exclusive mode`;
      await assertWarned();
    });
    assertEquals(await countFailures(database.sql), 0);
  });

  it("a trigger on the failures raises", async () => {
    await database.sql.unsafe(`
      create function public.interfere() returns trigger language plpgsql as 'begin assert false; end';
      create trigger interfere before insert on assignment.failures for each row execute function public.interfere();
    `);
    await assertWarned();
    assertEquals(await countFailures(database.sql), 0);
  });
});
