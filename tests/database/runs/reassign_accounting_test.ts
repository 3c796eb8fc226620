/** A run that reassigns accounts for every member: without room, in a dry run, behind its cursor, and when it is cut off. */
import { assertEquals, assertObjectMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { getRun, retryRun, startBackfill } from "../../../src/runs/runs.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { withoutTrigger } from "../../support/members.ts";
import { among, countClients, countRoom, setCapacity } from "../../support/policies.ts";
import { waitUntil } from "../../support/wait_until.ts";
import { type ReassignDatabase, reassignDatabase } from "./reassign_database.ts";

describe("a backfill that reassigns", () => {
  let database: ReassignDatabase;
  beforeEach(async () => {
    database = await reassignDatabase();
  });
  afterEach(() => database.drop());

  it("keeps with the old trainer whoever finds no room, lists them, and moves them in a retry", async () => {
    const { sql, anna, ben, put, signUp, reassign, historyOf } = database;
    const ids = await signUp(6);
    await setCapacity(sql, anna, 10);
    await setCapacity(sql, ben, 4);
    await put(ben);
    const run = await reassign();
    assertObjectMatch(run, { status: "completed_with_errors", successful: 4, failed: 2, remaining: 0 });
    assertEquals(run.errors.map(({ code }) => code), ["TA011", "TA011"]);
    assertEquals(await countClients(sql, [anna, ben]), [2, 4]);
    // Free seats and clients add up to the capacity.
    assertEquals([await countRoom(sql, anna), await countRoom(sql, ben)], [8, 0]);
    for (const { memberId } of run.errors) assertEquals(await historyOf(memberId), ["anna active"]);

    await setCapacity(sql, ben, 6);
    const retried = { ...await driveToEnd(sql, await retryRun(sql, run.id, "ops")) };
    assertObjectMatch(retried, { reassign: true, status: "succeeded", total: 2, successful: 2 });
    assertEquals([await countRoom(sql, anna), await countRoom(sql, ben)], [10, 0]);
    assertEquals(await countClients(sql, [anna, ben]), [0, ids.length]);
  });

  it("counts in a dry run what the run then does, and changes nothing", async () => {
    const { sql, anna, ben, cleo, put, signUp, reassign } = database;
    await signUp(30);
    await put(cleo, [{ name: "two", assign: among("spread", [ben, cleo]) }]);
    await setCapacity(sql, ben, 5);
    await setCapacity(sql, cleo, 20);
    const dry = await reassign({ dryRun: true });
    assertEquals(await countClients(sql, [anna, ben, cleo]), [30, 0, 0]);
    const run = await reassign();
    assertEquals(await countClients(sql, [anna, ben, cleo]), [5, 5, 20]);
    for (const key of ["successful", "skippedBecause", "failed", "choices", "errors", "remaining"] as const) {
      assertEquals(dry[key], run[key], key);
    }
  });

  it("leaves nobody over in a dry run who keeps one trainer and would lose another", async () => {
    const { sql, anna, ben, put, signUp, reassign } = database;
    await put(anna, [{ name: "two", assign: among("all", [anna, ben]) }]);
    await signUp(3);
    await put(anna, [{ name: "one", assign: among("all", [ben]) }]);
    for (const dryRun of [true, false]) {
      assertObjectMatch(await reassign({ dryRun }), {
        status: "succeeded",
        skippedBecause: { alreadyAssigned: 3 },
        remaining: 0,
      });
    }
    assertEquals(await countClients(sql, [anna, ben]), [0, 3]);
  });

  it("proves that it missed nobody: whoever came behind its cursor is moved too", async () => {
    const { sql, anna, ben, put, signUp, historyOf } = database;
    await signUp(5);
    const version = await put(ben);
    const run = await startBackfill(sql, { reassign: true, requestedBy: "ops" });
    const step = async () =>
      (await sql<[{ work: string }]>`select work from assignment.backfill_step(${run.id})`)[0].work;
    assertEquals(await step(), "batch");
    const missed = "00000000-0000-4000-8000-000000000001";
    await withoutTrigger(sql, async (transaction) => {
      await transaction`insert into public.members (id) values (${missed})`;
      await transaction`
        insert into public.trainer_client_assignments (trainer_id, client_id, source, policy_version)
        values (${anna}, ${missed}, 'trigger', ${version - 1})
      `;
    });
    assertEquals([await step(), await step()], ["swept", "finished"]);
    assertObjectMatch({ ...await getRun(sql, run.id) }, { status: "succeeded", successful: 6, remaining: 0 });
    assertEquals(await historyOf(missed), ["anna ended by ops: reassign", "ben active"]);
  });

  it("changes nothing half when its session is killed in the middle", async () => {
    const { sql, anna, ben, put, signUp } = database;
    const ids = await signUp(50);
    await put(ben);
    const run = await startBackfill(sql, { reassign: true, requestedBy: "ops" });
    const held = Promise.withResolvers<void>();
    const isLocked = Promise.withResolvers<void>();
    const locking = sql.begin(async (transaction) => {
      await transaction`
        select from public.trainer_client_assignments where client_id = ${ids[45] ?? ""} for update
      `;
      isLocked.resolve();
      await held.promise;
    });
    await isLocked.promise;
    const stepping = sql`select work from assignment.backfill_step(${run.id})`.catch((error: Error) =>
      error.message
    );
    let pid: number | undefined;
    await waitUntil("a step waits for the lock", async () => {
      [{ pid } = { pid: undefined }] = await sql<{ pid: number }[]>`
        select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%backfill_step%'
      `;
      return pid !== undefined;
    });
    await sql`select pg_terminate_backend(${pid ?? 0})`;
    assertEquals(typeof await stepping, "string");
    held.resolve();
    await locking;

    assertEquals(await countClients(sql, [anna, ben]), [50, 0]);
    assertObjectMatch({ ...await getRun(sql, run.id) }, { status: "running", processed: 0 });
    assertObjectMatch({ ...await driveToEnd(sql, run) }, { status: "succeeded", successful: 50 });
    assertEquals(await countClients(sql, [anna, ben]), [0, 50]);
  });
});
