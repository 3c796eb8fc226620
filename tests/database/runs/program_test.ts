import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Run } from "../../../src/runs/progress.ts";
import { cancelRun, getRun, listRuns, startBackfill } from "../../../src/runs/runs.ts";
import { AppError } from "../../../src/errors.ts";
import { backfillExistingUsers } from "../../../src/trainer_assignment.ts";
import { countAssigned, driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers, refuseAssignments } from "../../support/members.ts";
import { putRules } from "../../support/policies.ts";

describe("backfillExistingUsers", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await addUnseenMembers(database.sql, 5000);
  });
  afterEach(() => database.drop());

  it("resolves to the counts of the members", async () => {
    const { sql } = database;
    const result = await backfillExistingUsers(sql);
    assertEquals(result, { total: 5001, successful: 5000, skipped: 1, failed: 0, errors: [] });
    assertEquals(await countAssigned(sql), 5000);
  });

  it("is recorded under the database role, or under the name that it is given", async () => {
    const { sql } = database;
    const [{ role }] = await sql<[{ role: string }]>`select current_user as role`;
    await backfillExistingUsers(sql);
    await backfillExistingUsers(sql, { requestedBy: "import" });
    const names = (await listRuns(sql, { limit: 2 })).map(({ requestedBy }) => requestedBy);
    assertEquals(names, ["import", role]);
  });

  it("joins no run that does something else", async () => {
    const { sql } = database;
    await putRules(sql, [], { respectsOtherTrainers: true });
    const { id } = await startBackfill(sql, { requestedBy: "test" });
    const error = await assertRejects(() => backfillExistingUsers(sql, { reassign: true }), AppError);
    assertEquals([error.code, error.details.runId], ["backfill_active", id]);
  });

  it("resolves with the errors of members who could not be assigned", async () => {
    const { sql } = database;
    const [poison] = await sql<{ id: string }[]>`select id from public.members order by id limit 1`;
    await refuseAssignments(sql, `new.client_id = '${poison?.id}'`);
    const result = await backfillExistingUsers(sql);
    assertEquals([result.successful, result.failed], [4999, 1]);
    assertEquals(result.errors, [{
      memberId: poison?.id ?? "",
      code: "P0001",
      message: `member ${poison?.id} is refused`,
    }]);
  });

  it("joins a run that the service or another program drives", async () => {
    const { sql } = database;
    const run = await startBackfill(sql, { requestedBy: "service", batchRows: 100 });
    const [elsewhere, one, other] = await Promise.all([
      driveToEnd(sql, run),
      backfillExistingUsers(sql),
      backfillExistingUsers(sql),
    ]);
    assertEquals(elsewhere.successful, 5000);
    assertEquals([one.successful, other.successful], [5000, 5000]);
    assertEquals((await listRuns(sql, { limit: 10 })).length, 1);
  });

  it("reports progress, including the end", async () => {
    const seen: Run[] = [];
    await backfillExistingUsers(database.sql, { onProgress: (run) => seen.push(run) });
    assertEquals(seen.at(-1)?.status, "succeeded");
    assertEquals(seen.at(-1)?.processed, 5001);
  });

  it("stops with the signal's reason; a second call goes on where it stopped", async () => {
    const { sql } = database;
    const stop = new AbortController();
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 100 });
    const stopped = backfillExistingUsers(sql, { signal: stop.signal, restRatio: 1 });
    while ((await getRun(sql, run.id)).processed < 500);
    stop.abort(new Error("enough"));
    await assertRejects(() => stopped, Error, "enough");
    assert((await getRun(sql, run.id)).processed < 5001);

    const result = await backfillExistingUsers(sql);
    assertEquals([result.total, result.successful], [5001, 5000]);
  });

  it("rejects when the run is cancelled, or is of the other kind", async () => {
    const { sql } = database;
    const run = await startBackfill(sql, { requestedBy: "test", dryRun: true });
    const other = await assertRejects(() => backfillExistingUsers(sql), AppError);
    assertEquals(other.code, "backfill_active");
    await cancelRun(sql, run.id, "test");

    const slow = await startBackfill(sql, { requestedBy: "test", batchRows: 1 });
    const joined = Promise.withResolvers<void>();
    const rejected = assertRejects(
      () => backfillExistingUsers(sql, { onProgress: () => joined.resolve() }),
      AppError,
    );
    await joined.promise; // cancelled before, the run would be followed by one of its own
    await cancelRun(sql, slow.id, "test");
    assertEquals((await rejected).code, "run_cancelled");
  });
});
