import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { driveRuns } from "../../../src/runs/driver.ts";
import { startTransfer } from "../../../src/runs/runs.ts";
import { driveOptions } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { recordingLogger } from "../../support/logs.ts";
import { refuseAssignments } from "../../support/members.ts";
import { addTrainers } from "../../support/policies.ts";
import { addClients } from "../../support/transfers.ts";
import { waitUntil } from "../../support/wait_until.ts";

describe("the log of a transfer that cannot go on", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it("names the run and its kind in every line", async () => {
    const { sql } = database;
    const [anna = "", ben = ""] = await addTrainers(sql, 2);
    await addClients(sql, 3, anna);
    await refuseAssignments(sql, "new.source = 'transfer'", "40001");
    const run = await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "test" });
    await sql`alter view assignment.backfill_progress rename to hidden_progress`;
    await sql`alter function assignment.record_step_failure rename to hidden_failure`;

    const { log, logged } = recordingLogger();
    const stopping = new AbortController();
    const driving = driveRuns(sql, driveOptions({ log, lanes: 1, maxTries: 2, signal: stopping.signal }));
    const logs = (event: string) =>
      waitUntil(event, () => logged.some((line) => line["event"] === event && line["runId"] === run.id));
    await logs("backfill_drive_failed");
    await sql`alter view assignment.hidden_progress rename to backfill_progress`;
    await logs("backfill_trouble_not_noted");
    await sql`alter function assignment.hidden_failure rename to record_step_failure`;
    await logs("backfill_paused_itself");
    await logs("backfill_left");
    stopping.abort();
    await driving;
    const told = logged.filter(({ runId }) => runId === run.id);
    assertEquals(new Set(told.map(({ kind }) => kind)), new Set(["transfer"]));
    assert(told.some(({ event }) => event === "backfill_step_failed"));
  });
});
