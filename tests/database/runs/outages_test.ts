import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import { driveRun } from "../../../src/runs/drive.ts";
import { getRun, startBackfill } from "../../../src/runs/runs.ts";
import { driveOptions } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { recordingLogger } from "../../support/logs.ts";
import {
  acceptAssignments,
  addUnseenMembers,
  refuseAssignments,
  slowAssignments,
} from "../../support/members.ts";
import { waitUntil } from "../../support/wait_until.ts";

describe("a run, which one failed step would pause,", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  for (
    const [trouble, sqlstate] of [
      ["whose disk is full", "53100"],
      ["with a broken disk", "58030"],
      ["that takes no writes", "25006"],
      ["whose node is away", "08006"],
      ["that starts", "57P03"],
    ]
  ) {
    it(`waits for a database ${trouble}, however long`, async () => {
      const { sql } = database;
      await addUnseenMembers(sql, 10);
      await refuseAssignments(sql, "true", sqlstate);
      const { log, logged } = recordingLogger();
      const run = await startBackfill(sql, { requestedBy: "test" });
      const driving = driveRun(sql, run, driveOptions({ lanes: 1, maxTries: 1, log }));
      await waitUntil("two steps fail", () => logged.length >= 2);
      assertEquals((await getRun(sql, run.id)).status, "running");
      await acceptAssignments(sql);
      await driving;
      assertEquals(new Set(logged.map(({ event }) => event)), new Set(["backfill_step_failed"]));
      const ended = await getRun(sql, run.id);
      assertEquals([ended.status, ended.successful], ["succeeded", 10]);
    });
  }

  it("waits for a database that cuts its connections, however often", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 10);
    await slowAssignments(sql, 300);
    const cut = openDatabase(database.url, { max: 1, applicationName: "cut" });
    const { log, logged } = recordingLogger();
    const run = await startBackfill(sql, { requestedBy: "test" });
    const driving = driveRun(cut, run, driveOptions({ lanes: 1, maxTries: 1, log }));
    while (logged.length < 2) {
      await sql`
        select pg_terminate_backend(pid)
        from pg_stat_activity
        where application_name = 'cut' and state = 'active' and query like '%backfill_step%'
      `;
    }
    await acceptAssignments(sql);
    await driving;
    await closeDatabase(cut, 1);
    const ended = await getRun(sql, run.id);
    assertEquals([ended.status, ended.successful], ["succeeded", 10]);
  });
});
