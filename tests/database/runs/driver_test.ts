import { assert, assertEquals, assertGreater } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { driveRun } from "../../../src/runs/drive.ts";
import { driveRuns } from "../../../src/runs/driver.ts";
import { hasEnded, type Run } from "../../../src/runs/progress.ts";
import { getRun, startBackfill } from "../../../src/runs/runs.ts";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { countAssigned, countRowsOf, driveOptions } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { recordingLogger } from "../../support/logs.ts";
import { addUnseenMembers } from "../../support/members.ts";

describe("driving runs", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await addUnseenMembers(database.sql, 20_000);
    await database.sql`analyze public.members`;
  });
  afterEach(() => database.drop());

  it("is joined by three replicas that find the run by themselves", async () => {
    const { sql } = database;
    const stopping = new AbortController();
    const replicas = Array.from(
      { length: 3 },
      () => openDatabase(database.serviceUrl, { max: 3, applicationName: "replica" }),
    );
    const { log, logged } = recordingLogger();
    const driving = replicas.map((replica) =>
      driveRuns(replica, driveOptions({ log, signal: stopping.signal }))
    );
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 100 });
    const ended = await waitForEnd(sql, run);
    stopping.abort();
    await Promise.all(driving);
    await Promise.all(replicas.map((replica) => closeDatabase(replica, 1)));
    assertEquals([ended.status, ended.processed, ended.successful], ["succeeded", 20_001, 20_000]);
    assertEquals(await countRowsOf(sql, ended), 20_000);
    const told = logged.filter(({ runId }) => runId === run.id).map(({ event }) => event).sort();
    const left = told.filter((event) => event === "backfill_left");
    assertEquals(told, [
      ...left.map(() => "backfill_driving"),
      "backfill_driving",
      "backfill_finished",
      ...left,
    ]);
  });

  it("survives connections that are cut in the middle of steps: nothing is lost, nothing counted twice", async () => {
    const { sql } = database;
    const { log, logged } = recordingLogger();
    const replica = openDatabase(database.serviceUrl, { max: 3, applicationName: "cut me" });
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 200 });
    const driving = driveRun(replica, run, driveOptions({ log, maxTries: 1000 }));
    let cuts = 0;
    while (cuts < 6 && !hasEnded(await getRun(sql, run.id))) {
      const cut = await sql`
        select pg_terminate_backend(pid)
        from pg_stat_activity
        where application_name = 'cut me' and state = 'active' and query like '%backfill_step%'
      `;
      cuts += cut.length;
    }
    await driving;
    await closeDatabase(replica, 1);
    const ended = await getRun(sql, run.id);
    assertGreater(cuts, 0);
    const [told] = logged.filter(({ event }) => event === "backfill_step_failed");
    assertEquals([told?.runId, told?.level], [run.id, "warn"]);
    assertEquals([ended.status, ended.processed, ended.successful, ended.failed], [
      "succeeded",
      20_001,
      20_000,
      0,
    ]);
    assertEquals(await countRowsOf(sql, ended), 20_000);
    assertEquals(await countAssigned(sql), 20_000);
  });

  it("rests after each batch for the configured multiple of its time, and still stops at once", async () => {
    const { sql } = database;
    const stopping = new AbortController();
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 100 });
    const driving = driveRun(
      sql,
      run,
      driveOptions({ lanes: 1, restRatio: 1_000_000, signal: stopping.signal }),
    );
    for (let look = 0; look < 200 || (await getRun(sql, run.id)).processed === 0; look += 1) {
      await sql`select`;
    }
    stopping.abort();
    await driving;
    assertEquals((await getRun(sql, run.id)).processed, 100);
  });

  it("ends with the run, even if other lanes rest", async () => {
    const { sql } = database;
    await sql`delete from public.members where id not in (select default_trainer_id from assignment.settings)`;
    const run = await startBackfill(sql, { requestedBy: "test" });
    await driveRun(sql, run, driveOptions({ lanes: 2, restRatio: 1_000_000 })); // the one batch, and then days of rest
    assertEquals((await getRun(sql, run.id)).status, "succeeded");
  });

  it("estimates the total above a million members, and is exact at the end", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 1_000_000);
    const run = await startBackfill(sql, { requestedBy: "test", dryRun: true });
    assertEquals(run.totalIsEstimate, true);
    assert(run.total > 1_000_000);
    await driveRun(sql, run, driveOptions());
    const ended = await getRun(sql, run.id);
    assertEquals([ended.status, ended.total, ended.totalIsEstimate], ["succeeded", 1_020_001, false]);
  });
});

async function waitForEnd(sql: Sql, run: Run): Promise<Run> {
  while (true) {
    const current = await getRun(sql, run.id);
    if (hasEnded(current)) return current;
  }
}
