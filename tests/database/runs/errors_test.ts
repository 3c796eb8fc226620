import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { listRunErrors } from "../../../src/runs/run_members.ts";
import { cancelRun, resumeRun, retryRun, startBackfill } from "../../../src/runs/runs.ts";
import { recordStepFailure } from "../../../src/runs/steps.ts";
import { AppError } from "../../../src/errors.ts";
import { countAssigned, countRowsOf, driveToEnd, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { recordingLogger } from "../../support/logs.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../../support/members.ts";

describe("a backfill that meets rows which cannot be assigned", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("reports each of them, and assigns all others", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 10_000);
    const poison = await sql<
      { id: string }[]
    >`select id from public.members where random() < 0.002 order by id limit 13`;
    await refuseAssignments(sql, `new.client_id in (${poison.map((member) => `'${member.id}'`)})`);

    const run = await runBackfill(sql);
    assertEquals(run.status, "completed_with_errors");
    assertEquals([run.successful, run.failed, run.remaining], [10_000 - poison.length, poison.length, 0]);
    assertEquals(run.errors.map((error) => error.memberId), poison.map((member) => member.id));
    assert(
      run.errors.every((error) =>
        error.code === "P0001" && error.message === `member ${error.memberId} is refused`
      ),
    );
    assertEquals(await countRowsOf(sql, run), run.successful);
  });

  it("keeps 10,000 errors and the exact count", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 10_500);
    await refuseAssignments(sql, "true");
    const run = await runBackfill(sql);
    assertEquals([run.status, run.failed, run.processed], ["completed_with_errors", 10_500, 10_501]);
    assertEquals((await listRunErrors(sql, run.id, { limit: 20_000 })).length, 10_000);
    assertEquals(run.remaining, 500); // not recorded, so not accounted for

    await acceptAssignments(sql);
    const retry = await driveToEnd(sql, await retryRun(sql, run.id, "test"));
    assertEquals([retry.status, retry.successful, retry.retryOf], ["succeeded", 10_500, run.id]);
  });

  it("retries the failed members alone, once the run has ended", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 1000);
    await refuseAssignments(sql, "new.client_id::text < '2'");
    const run = await runBackfill(sql);
    assert(run.failed > 0);
    await acceptAssignments(sql);

    const retry = await driveToEnd(sql, await retryRun(sql, run.id, "test"));
    assertEquals([retry.status, retry.total, retry.successful], ["succeeded", run.failed, run.failed]);
    assertEquals(await countAssigned(sql), 1000);
    const again = await assertRejects(() => retryRun(sql, retry.id, "test"), AppError, "no failed members");
    assertEquals(again.code, "invalid_transition");
  });

  it("never counts a transient error as failed, and pauses itself with the reason when it lasts", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 500);
    await refuseAssignments(sql, "true", "40001");
    const run = await startBackfill(sql, { requestedBy: "test" });
    const { log, logged } = recordingLogger();
    const paused = await driveToEnd(sql, run, { lanes: 1, maxTries: 3, log });
    assertEquals(logged.map(({ level, event, runId, kind, code }) => [level, event, runId, kind, code]), [
      ...Array(3).fill(["warn", "backfill_step_failed", run.id, "backfill", "40001"]),
      ["error", "backfill_paused_itself", run.id, "backfill", "40001"],
    ]);
    assertEquals([paused.status, paused.failed, paused.processed], ["paused", 0, 0]);
    assertMatch(paused.pauseReason ?? "", /^3 tries failed in a row: member .* is refused \(40001\)$/);
    assertEquals(paused.history.at(-1)?.actor, "service");

    await acceptAssignments(sql);
    const ended = await driveToEnd(sql, await resumeRun(sql, run.id, "test"));
    assertEquals([ended.status, ended.successful, ended.failed], ["succeeded", 500, 0]);
  });

  it("counts lanes that fail at the same time once", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 10);
    const run = await startBackfill(sql, { requestedBy: "test" });
    const fail = (ownTries: number) =>
      recordStepFailure(sql, run.id, { code: "40001", message: "conflict" }, { ownTries, maxTries: 3 });
    const first = await Promise.all(Array.from({ length: 8 }, () => fail(1)));
    assertEquals(first.map(({ tries }) => tries), Array(8).fill(1));
    await fail(2);
    assertEquals(await fail(2), { tries: 2, paused: false });
    assertEquals(await fail(3), { tries: 3, paused: true });
    await cancelRun(sql, run.id, "test");
  });

  it("halves its batches after a time-out", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 100);
    await refuseAssignments(sql, "true", "55P03");
    const run = await startBackfill(sql, { requestedBy: "test" });
    await driveToEnd(sql, run, { lanes: 1, maxTries: 2 });
    const [lane] = await sql<[{ batchRows: number }]>`
      select batch_rows from assignment.backfill_lanes where run_id = ${run.id}
    `;
    assertEquals(lane.batchRows, 500);
    await cancelRun(sql, run.id, "test");
  });

  it("settles the failed auto-assignments of members that it assigns", async () => {
    const { sql } = database;
    await refuseAssignments(sql, "true");
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 5)`;
    await acceptAssignments(sql);
    await runBackfill(sql);
    const [row] = await sql<[{ failures: number }]>`select count(*) as failures from assignment.failures`;
    assertEquals(row.failures, 0);
  });

  it("ends although the table of failures is missing", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 10);
    await sql`drop table assignment.failures`;
    const run = await runBackfill(sql);
    assertEquals([run.status, run.successful], ["succeeded", 10]);
  });
});
