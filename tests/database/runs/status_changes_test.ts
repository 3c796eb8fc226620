import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { driveRun } from "../../../src/runs/drive.ts";
import type { Run, RunStatus } from "../../../src/runs/progress.ts";
import { cancelRun, getRun, pauseRun, resumeRun, startBackfill } from "../../../src/runs/runs.ts";
import { stepRun } from "../../../src/runs/steps.ts";
import { AppError } from "../../../src/errors.ts";
import { countRowsOf, driveOptions, driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers } from "../../support/members.ts";

describe("steering a backfill", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    await addUnseenMembers(database.sql, 5000);
  });
  afterAll(() => database.drop());

  beforeEach(async () => {
    await database.sql`truncate public.trainer_client_assignments`;
    await database.sql`truncate assignment.backfill_runs cascade`;
  });

  it("starts one run however many ask at once, and tells the others which", async () => {
    const starts = await Promise.allSettled(
      Array.from({ length: 50 }, () => startBackfill(database.sql, { requestedBy: "test" })),
    );
    const started = starts.flatMap((start) => start.status === "fulfilled" ? [start.value] : []);
    const refused = starts.flatMap((start) => start.status === "rejected" ? [start.reason] : []);
    assertEquals([started.length, refused.length], [1, 49]);
    for (const error of refused) {
      assert(error instanceof AppError);
      assertEquals([error.code, error.details["runId"]], ["backfill_active", started[0]?.id]);
    }
  });

  it("pauses within a batch, and then its counters do not change until it is resumed", async () => {
    const { sql } = database;
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 50 });
    const driving = driveRun(sql, run, driveOptions());
    while ((await getRun(sql, run.id)).processed < 200);
    const paused = await pauseRun(sql, run.id, "admin");
    await driving;
    assertEquals(await getRun(sql, run.id), paused);
    assert(paused.processed < paused.total);
    assertEquals(await countRowsOf(sql, paused), paused.successful);
    assertEquals((await stepRun(sql, run.id)).work, "stopped");

    const ended = await driveToEnd(sql, await resumeRun(sql, run.id, "admin"));
    assertEquals([ended.status, ended.successful], ["succeeded", 5000]);
    assertEquals(
      ended.history.map(({ actor, from, to }) => [actor, from, to]),
      [
        ["test", null, "running"],
        ["admin", "running", "paused"],
        ["admin", "paused", "running"],
        ["service", "running", "succeeded"],
      ],
    );
  });

  it("cancels at once when nobody drives it, and keeps its assignments", async () => {
    const { sql } = database;
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 100 });
    await stepRun(sql, run.id);
    const cancelled = await cancelRun(sql, run.id, "admin");
    assertEquals([cancelled.status, cancelled.processed], ["cancelled", 100]);
    assertEquals(await countRowsOf(sql, cancelled), cancelled.successful);
    assertEquals((await stepRun(sql, run.id)).work, "stopped");
  });

  it("refuses what the state does not allow, and says so", async () => {
    const { sql } = database;
    const run = await startBackfill(sql, { requestedBy: "test" });
    const error = await assertRejects(
      () => resumeRun(sql, run.id, "admin"),
      AppError,
      "that is running cannot become running",
    );
    assertEquals(error.code, "invalid_transition");
    await cancelRun(sql, run.id, "admin");
    await assertRejects(
      () => pauseRun(sql, run.id, "admin"),
      AppError,
      "that is cancelled cannot become paused",
    );
    await startBackfill(sql, { requestedBy: "test" });
    const besideAnother = await assertRejects(() => resumeRun(sql, run.id, "admin"), AppError);
    assertEquals(besideAnother.code, "invalid_transition");
    const unknown = await assertRejects(() => pauseRun(sql, crypto.randomUUID(), "admin"), AppError);
    assertEquals(unknown.code, "run_not_found");
  });

  it("refuses a forbidden change of status even by hand", async () => {
    const { sql } = database;
    const run = await startBackfill(sql, { requestedBy: "test" });
    await cancelRun(sql, run.id, "admin");
    await assertRejects(
      () =>
        sql`update assignment.backfill_runs set status = 'running', finished_at = null where id = ${run.id}`
          .execute(),
      Error,
      "that is cancelled cannot become running",
    );
  });

  const actions: Record<string, (run: Run) => Promise<unknown>> = {
    pause: (run) => pauseRun(database.sql, run.id, "pause"),
    resume: (run) => resumeRun(database.sql, run.id, "resume"),
    cancel: (run) => cancelRun(database.sql, run.id, "cancel"),
    step: (run) => stepRun(database.sql, run.id),
    end: (run) => driveToEnd(database.sql, run),
  };
  const next: Record<string, RunStatus[]> = {
    running: ["paused", "cancelled", "succeeded"],
    paused: ["running", "cancelled"],
  };
  for (const from of ["running", "paused"]) {
    for (const one of Object.keys(actions)) {
      for (const other of Object.keys(actions)) {
        it(`survives ${one} and ${other} at once on a ${from} run`, async () => {
          const { sql } = database;
          const run = await startBackfill(sql, { requestedBy: "test", batchRows: 1000 });
          if (from === "paused") await pauseRun(sql, run.id, "test");
          const outcomes = await Promise.allSettled([actions[one]?.(run), actions[other]?.(run)]);
          for (const outcome of outcomes) {
            if (outcome.status === "rejected") assertEquals(outcome.reason.code, "invalid_transition");
          }

          const after = await getRun(sql, run.id);
          after.history.reduce((previous, { from, to }) => {
            assertEquals(from, previous);
            assert(previous === null || next[previous]?.includes(to), `${previous} became ${to}`);
            return to;
          }, null as RunStatus | null);
          assertEquals(after.history.at(-1)?.to, after.status);
          assertEquals(await countRowsOf(sql, after), after.successful);
          if (after.status === "paused") await resumeRun(sql, run.id, "test");
          if (after.status === "paused" || after.status === "running") {
            assertEquals((await driveToEnd(sql, run)).status, "succeeded");
          }
        });
      }
    }
  }
});
