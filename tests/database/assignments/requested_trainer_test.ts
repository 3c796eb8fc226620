import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { listFailures, retryFailures } from "../../../src/assignments/failures.ts";
import { assignNewUserToTrainer, isUserAssignedToTrainer } from "../../../src/trainer_assignment.ts";
import { runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";

describe("a failed assignment to a trainer who was asked for by name", () => {
  let database: TestDatabase;
  const [trainerId, memberId] = [crypto.randomUUID(), crypto.randomUUID()];
  beforeEach(async () => {
    database = await testDatabase();
    const { sql } = database;
    await sql`insert into public.members (id) values (${trainerId}), (${memberId})`;
    await refuseAssignments(sql, `new.trainer_id = '${trainerId}'`);
    const { failure } = await assignNewUserToTrainer(sql, memberId, trainerId);
    assertEquals(failure?.sqlstate, "P0001");
  });
  afterEach(() => database.drop());

  it("is retried with that trainer, though the member has the default one", async () => {
    const { sql } = database;
    assertEquals(await retryFailures(sql), { retried: 1, succeeded: 0, failed: 1, remaining: 0 });
    await acceptAssignments(sql);
    assertEquals(await retryFailures(sql), { retried: 1, succeeded: 1, failed: 0, remaining: 0 });
    assertEquals(await isUserAssignedToTrainer(sql, memberId, trainerId), true);
  });

  it("is not settled by a backfill for another trainer", async () => {
    await runBackfill(database.sql);
    const failures = await listFailures(database.sql, { limit: 10 });
    assertEquals(failures.map((failure) => [failure.memberId, failure.trainerId]), [[memberId, trainerId]]);
  });
});
