import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { retryRun, startBackfill } from "../../../src/runs/runs.ts";
import { previewRun } from "../../../src/runs/steps.ts";
import { newId } from "../../support/assignments.ts";
import { countAssigned, driveToEnd, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers } from "../../support/members.ts";
import { misplaceKey, runMend } from "../../support/schema_changes.ts";

describe("a backfill while a foreign key of the assignments points elsewhere", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await addUnseenMembers(database.sql, 300);
  });
  afterEach(() => database.drop());

  it("reports members that the client's key refuses as failed, never as deleted, and its retry assigns them", async () => {
    const { sql } = database;
    await misplaceKey(sql, "client_id");
    await addUnseenMembers(sql, 200);
    const run = await runBackfill(sql, { batchRows: 100 });
    assertEquals([run.status, run.successful, run.failed, run.remaining, run.skippedBecause.memberGone], [
      "completed_with_errors",
      300,
      200,
      0,
      0,
    ]);
    assertEquals(new Set(run.errors.map(({ code }) => code)), new Set(["TA009"]));

    await runMend(sql, run.errors[0]?.message ?? "");
    const retry = await driveToEnd(sql, await retryRun(sql, run.id, "test"));
    assertEquals([retry.status, retry.successful], ["succeeded", 200]);
    assertEquals(await countAssigned(sql), 500);
  });

  it("says in a dry run what the real run does", async () => {
    const { sql } = database;
    await misplaceKey(sql, "client_id");
    await addUnseenMembers(sql, 200);
    const dry = await runBackfill(sql, { dryRun: true, batchRows: 100 });
    const real = await runBackfill(sql, { batchRows: 100 });
    const outcome = (
      { status, total, successful, skippedBecause, failed, remaining, errors }: typeof dry,
    ) => ({
      status,
      total,
      successful,
      skippedBecause,
      failed,
      remaining,
      errors,
    });
    assertEquals(outcome(dry), outcome(real));
    assertEquals(real.failed, 200);
  });

  it("pauses with what to do when the trainer's key refuses the trainer, in a dry run too", async () => {
    const { sql } = database;
    const trainerId = newId();
    await misplaceKey(sql, "trainer_id");
    await sql`insert into public.members (id) values (${trainerId})`;
    for (const dryRun of [false, true]) {
      const run = await startBackfill(sql, { requestedBy: "test", trainerId, dryRun });
      if (dryRun) {
        const error = await assertRejects(() => previewRun(sql, run.id), postgres.PostgresError);
        assertEquals(error.code, "TA009");
      }
      const paused = await driveToEnd(sql, run, { maxTries: 1 });
      assertEquals([paused.status, paused.processed], ["paused", 0]);
      assertMatch(
        paused.pauseReason ?? "",
        /trainer_client_assignments_trainer_id_fkey .*Run: alter table .*TA009/,
      );
      await sql`select assignment.change_backfill_status(${run.id}, 'cancelled', 'test')`;
    }
  });

  it("reports as failed a member who is a row of an inheriting table, rather than as gone every night", async () => {
    const { sql } = database;
    await sql.unsafe(`
      create table public.vip_members (level integer) inherits (public.members);
      insert into public.vip_members (id) values (gen_random_uuid());
    `);
    const run = await runBackfill(sql);
    assertEquals([run.successful, run.failed, run.remaining, run.skippedBecause.memberGone], [300, 1, 0, 0]);
    assertEquals(run.errors.map(({ code }) => code), ["23503"]);
  });
});
