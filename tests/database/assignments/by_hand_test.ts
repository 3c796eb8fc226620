import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer } from "../../../src/trainer_assignment.ts";
import { countAssignments, countFailures, newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { makeDue } from "../../support/failures.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";

describe("an assignment by hand", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("waits for no retry that holds the member's failure, and so cannot deadlock with it", async () => {
    const { sql } = database;
    const id = newId();
    await refuseAssignments(sql, "true");
    await sql`insert into public.members (id) values (${id})`;
    await acceptAssignments(sql);
    await makeDue(sql);

    await database.newConnection().begin(async (retry) => {
      await retry`select from assignment.failures where member_id = ${id} for update`; // where a retry begins
      assertEquals((await assignClientToTrainer(sql, id)).assigned, true);
      const [result] = await retry`select succeeded, failed from assignment.retry_failures()`;
      assertEquals(result, { succeeded: 1, failed: 0 });
    });
    assertEquals([await countAssignments(sql, [id]), await countFailures(sql)], [1, 0]);
  });
});
