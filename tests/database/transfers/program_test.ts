import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import type { Run } from "../../../src/runs/progress.ts";
import { cancelRun, listRuns, startTransfer } from "../../../src/runs/runs.ts";
import { transferClients } from "../../../src/trainer_assignment.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, countClients, setCapacity } from "../../support/policies.ts";
import { addClients } from "../../support/transfers.ts";

describe("transferClients", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string;
  let ben: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [anna = "", ben = ""] = await addTrainers(sql, 2);
    await addClients(sql, 3000, anna);
  });
  afterEach(() => database.drop());

  it("resolves to the counts of the clients, and the errors of those who stay", async () => {
    await setCapacity(sql, ben, 2999);
    const seen: Run[] = [];
    const result = await transferClients(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      requestedBy: "import",
      onProgress: (run) => seen.push(run),
    });
    const { errors, ...counts } = result;
    assertEquals(counts, { total: 3000, successful: 2999, skipped: 0, failed: 1 });
    assertEquals(errors.map(({ code, message }) => [code, message]), [[
      "TA011",
      `trainer ${ben} has no room`,
    ]]);
    assertEquals(await countClients(sql, [anna, ben]), [1, 2999]);
    assertEquals([seen.at(-1)?.requestedBy, seen.at(-1)?.status], ["import", "completed_with_errors"]);
  });

  it("joins the same transfer that the service or another program drives", async () => {
    const condition = { all: [{ field: "email", op: "missing" as const }] };
    const request = { fromTrainerId: anna, trainerId: ben, condition, notes: "moved" };
    const run = await startTransfer(sql, { ...request, batchRows: 100, requestedBy: "service" });
    const [elsewhere, one, other] = await Promise.all([
      driveToEnd(sql, run),
      transferClients(sql, request),
      transferClients(sql, { ...request, trainerId: ben.toUpperCase() }),
    ]);
    assertEquals([elsewhere.successful, one.successful, other.successful], [3000, 3000, 3000]);
    assertEquals((await listRuns(sql, { limit: 10 })).length, 1);
  });

  it("rejects when another transfer from the trainer is under way, or its own is cancelled", async () => {
    const run = await startTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      batchRows: 1,
      requestedBy: "ops",
    });
    for (const other of [{ trainerId: ben, dryRun: true }, { trainerId: ben, notes: "" }, {}]) {
      const error = await assertRejects(
        () => transferClients(sql, { fromTrainerId: anna, ...other }),
        AppError,
      );
      assertEquals([error.code, error.details.runId], ["transfer_active", run.id]);
    }
    const joined = Promise.withResolvers<void>();
    const rejected = assertRejects(
      () => transferClients(sql, { fromTrainerId: anna, trainerId: ben, onProgress: () => joined.resolve() }),
      AppError,
    );
    await joined.promise;
    await cancelRun(sql, run.id, "test");
    assertEquals((await rejected).code, "run_cancelled");
  });
});
