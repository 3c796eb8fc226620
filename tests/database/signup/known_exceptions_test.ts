import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { migrateUp } from "../../../src/database/migrate.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { startBackfill } from "../../../src/runs/runs.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import { DEFAULT_TRAINER_ID, isUserAssignedToTrainer } from "../../../src/trainer_assignment.ts";
import {
  assertAssigned,
  assertRecorded,
  countAssignments,
  countFailures,
  countMembers,
  newId,
} from "../../support/assignments.ts";
import { runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";
import { setCapacity } from "../../support/policies.ts";

describe("the known exceptions:", () => {
  let database: TestDatabase;
  let id: string;
  beforeEach(async () => {
    database = await testDatabase();
    id = newId();
  });
  afterEach(() => database.drop());

  async function assertMissedThenRepaired(): Promise<void> {
    assertEquals(await countMembers(database.sql, [id]), 1);
    assertEquals([await countAssignments(database.sql, [id]), await countFailures(database.sql)], [0, 0]);
    await runBackfill(database.sql);
    assertEquals(await isUserAssignedToTrainer(database.sql, id), true);
  }

  it("a statement timeout of the caller's own that strikes inside the trigger ends the signup", async () => {
    const caller = database.newConnection();
    await caller`set statement_timeout = '100ms'`;
    await database.newConnection().begin(async (locker) => {
      await locker`lock table public.trainer_client_assignments in access exclusive mode`;
      await assertRejects(
        () => caller`insert into public.members (id) values (${id})`,
        postgres.PostgresError,
        "canceling statement due to statement timeout",
      );
    });
    assertEquals([await countMembers(database.sql, [id]), await countFailures(database.sql)], [0, 0]);
  });

  it("of two serializable signups at once that take seats of one trainer, one ends and can be repeated", async () => {
    await setCapacity(database.sql, DEFAULT_TRAINER_ID, 10);
    const [one, two] = [newId(), newId()];
    const other = database.newConnection();
    await assertRejects(
      () =>
        database.sql.begin("isolation level serializable", async (tx) => {
          await tx`insert into public.members (id) values (${one})`;
          await other.begin(
            "isolation level serializable",
            (second) => second`insert into public.members (id) values (${two})`,
          );
        }),
      postgres.PostgresError,
      "could not serialize access",
    );
    await database.sql`insert into public.members (id) values (${one}), (${two}) on conflict do nothing`;
    await assertAssigned(database.sql, [one, two]);
  });

  it("a signup without the index that keeps assignments unique is assigned, and a run fails", async () => {
    await database.sql`drop index public.trainer_client_assignments_active_key`;
    await database.sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
    await withoutTrigger(database.sql, (tx) => tx`insert into public.members default values`);
    const run = await startBackfill(database.sql, { requestedBy: "test" });
    await database.sql`select assignment.backfill_step(${run.id})`;
    const errors = await database.sql`select sqlstate from assignment.backfill_errors`;
    assertEquals([...errors], [{ sqlstate: "42P10" }]);
  });

  it("a deferred constraint trigger of the application's on the assignments ends the signup at its commit", async () => {
    await database.sql.unsafe(`
      create function public.interfere() returns trigger language plpgsql as $$ begin raise exception 'too late'; end $$;
      create constraint trigger interfere after insert on public.trainer_client_assignments
        deferrable initially deferred for each row execute function public.interfere();
    `);
    await assertRejects(
      () => database.sql`insert into public.members (id) values (${id})`,
      postgres.PostgresError,
      "too late",
    );
    assertEquals(await countMembers(database.sql, [id]), 0);
  });

  it("a trigger of the application's on the assignments that names a table without its schema does not find it", async () => {
    await database.sql.unsafe(`
      create table public.audit (client_id uuid);
      create function public.keep_audit() returns trigger language plpgsql
        as 'begin insert into audit values (new.client_id); return new; end';
      create trigger keep_audit after insert on public.trainer_client_assignments
        for each row execute function public.keep_audit();
    `);
    await database.sql`insert into public.members (id) values (${id})`;
    await assertRecorded(database.sql, [id], "42P01");

    await database.sql`alter function public.keep_audit() set search_path = public`;
    await retryFailures(database.sql);
    assertEquals(await isUserAssignedToTrainer(database.sql, id), true);
  });

  it("under session_replication_role = replica no member is assigned, until a backfill", async () => {
    await withoutTrigger(database.sql, (tx) => tx`insert into public.members (id) values (${id})`);
    await assertMissedThenRepaired();
  });

  it("while the trigger is disabled no member is assigned, which health shows, until a backfill", async () => {
    await database.sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    await database.sql`insert into public.members (id) values (${id})`;
    assertEquals((await checkHealth(database.sql)).checks.trigger.status, "degraded");
    await assertMissedThenRepaired();
  });

  it("always enabled, the trigger fires under session_replication_role = replica too", async () => {
    await database.sql`alter table public.members enable always trigger members_assign_trainer_after_insert`;
    await withoutTrigger(database.sql, (tx) => tx`insert into public.members (id) values (${id})`);
    await assertAssigned(database.sql, [id]);
  });
});

describe("on a partitioned members table", () => {
  let database: TestDatabase;
  let id: string;
  beforeEach(async () => {
    id = newId();
    database = await testDatabase({ migrated: false });
    await database.sql.unsafe(`
      create table public.members (id uuid primary key) partition by hash (id);
      create table public.members_0 partition of public.members for values with (modulus 1, remainder 0);
    `);
    await migrateUp(database.url);
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
  });
  afterEach(() => database.drop());

  it("an insert into the table is assigned", async () => {
    await database.sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
  });

  it("a direct insert into a partition is a known exception: not assigned until a backfill", async () => {
    await database.sql`insert into public.members_0 (id) values (${id})`;
    assertEquals(await countAssignments(database.sql, [id]), 0);
    await runBackfill(database.sql);
    assertEquals(await isUserAssignedToTrainer(database.sql, id), true);
  });
});
