import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { cancelRun, startBackfill } from "../../../src/runs/runs.ts";
import { previewRun, stepRun } from "../../../src/runs/steps.ts";
import { DEFAULT_TRAINER_ID, endAssignment } from "../../../src/trainer_assignment.ts";
import { countAssigned, driveToEnd, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers } from "../../support/members.ts";

describe("a dry run", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("equals the real run on a quiet database, and assigns nobody", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 30_000);
    const [ended] = await sql<{ id: string }[]>`
      insert into public.members (id) select gen_random_uuid() from generate_series(1, 500) returning id
    `;
    await endAssignment(sql, DEFAULT_TRAINER_ID, ended?.id ?? "");
    await sql`analyze public.members`;

    const dry = await runBackfill(sql, { dryRun: true });
    assertEquals(await countAssigned(sql), 499);
    const real = await runBackfill(sql);
    assertEquals([dry.dryRun, real.dryRun], [true, false]);
    assertEquals(outcome(dry), outcome(real));
    assertEquals(real.successful, 30_000);

    function outcome(
      { status, total, processed, successful, skipped, skippedBecause, failed, remaining }: typeof dry,
    ) {
      return { status, total, processed, successful, skipped, skippedBecause, failed, remaining };
    }
  });

  it("counts each batch once, however many callers preview it", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 5000);
    const run = await startBackfill(sql, { requestedBy: "test", dryRun: true, batchRows: 100 });
    const [first, second, third] = await Promise.all([
      driveToEnd(sql, run, { lanes: 3 }),
      driveToEnd(sql, run, { lanes: 1 }),
      driveToEnd(database.newConnection(), run, { lanes: 1 }),
    ]);
    assertEquals([first.status, first.processed, first.successful], ["succeeded", 5001, 5000]);
    assertEquals([second.status, third.status], ["succeeded", "succeeded"]);
  });

  it("looks in a READ ONLY transaction: what would write there is refused by the database", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 10);
    const run = await startBackfill(sql, { requestedBy: "test", dryRun: true });
    await sql.unsafe(`
      create or replace function assignment.sort_members(
        p_member_ids uuid[], p_trainer_id uuid,
        out unassigned uuid[], out already_assigned integer, out ended integer, out is_trainer integer
      ) language plpgsql as $$
      begin
        insert into public.trainer_client_assignments (trainer_id, client_id) values (p_trainer_id, p_member_ids[1]);
      end;
      $$
    `);
    await assertRejects(
      () => previewRun(sql, run.id),
      Error,
      "cannot execute INSERT in a read-only transaction",
    );
    await cancelRun(sql, run.id, "test");
  });

  it("is refused by the step that assigns", async () => {
    const run = await startBackfill(database.sql, { requestedBy: "test", dryRun: true });
    await assertRejects(() => stepRun(database.sql, run.id), Error, "is a dry run");
  });
});
