import { assert, assertEquals, assertExists, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError, type ErrorCode } from "../../../src/errors.ts";
import { setDefaultTrainer } from "../../../src/policy/policies.ts";
import {
  assignClientToTrainer,
  assignNewUserToTrainer,
  backfillExistingUsers,
  checkAssignments,
  DEFAULT_TRAINER_ID,
  endAssignment,
  getAssignment,
  getTrainerClients,
  isUserAssignedToTrainer,
} from "../../../src/trainer_assignment.ts";
import { countAssignments, newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, refuseAssignments, withoutTrigger } from "../../support/members.ts";

describe("the library", () => {
  let database: TestDatabase;
  let sql: Sql;
  let trainerId: string;
  let memberId: string; // a client of the default trainer
  let unseenId: string; // nobody's client
  beforeAll(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    [trainerId, memberId, unseenId] = [newId(), newId(), newId()];
    await sql`insert into public.members (id) values (${memberId})`;
    await withoutTrigger(
      sql,
      (tx) => tx`insert into public.members (id) values (${trainerId}), (${unseenId})`,
    );
  });

  describe("assignClientToTrainer", () => {
    it("assigns, ends and checks in a transaction of the caller's, and takes all of it back with it", async () => {
      const rolledBack = new Error("rolled back");
      const work = sql.begin(async (transaction) => {
        assertEquals((await assignNewUserToTrainer(transaction, unseenId)).assigned, true);
        assertEquals((await assignClientToTrainer(transaction, unseenId, { trainerId })).assigned, true);
        await endAssignment(transaction, DEFAULT_TRAINER_ID, memberId);
        assertEquals(await isUserAssignedToTrainer(transaction, memberId), false);
        throw rolledBack;
      });
      assertEquals(await work.catch((error) => error), rolledBack);
      assertEquals(await countAssignments(sql, [unseenId]), 0);
      assertEquals(await isUserAssignedToTrainer(sql, memberId), true);
    });

    it("assigns to the default trainer by default", async () => {
      const { assigned, trainerId, assignment } = await assignClientToTrainer(sql, unseenId);
      assertEquals([assigned, trainerId, assignment.source, assignment.notes], [
        true,
        DEFAULT_TRAINER_ID,
        "manual",
        null,
      ]);
      assert(Math.abs(assignment.assignmentDate.getTime() - Date.now()) < 60_000);
    });

    it("assigns to another trainer, beside the default one", async () => {
      const { assigned } = await assignClientToTrainer(sql, memberId, { trainerId });
      assertEquals(assigned, true);
      assertEquals(await isUserAssignedToTrainer(sql, memberId), true);
      assertEquals(await isUserAssignedToTrainer(sql, memberId, trainerId), true);
    });

    it("keeps notes, whatever they contain", async () => {
      const notes = `'; drop table members; -- "quoted" \\ <script> 🏋️\n${"long ".repeat(2000)}`;
      await assignClientToTrainer(sql, unseenId, { notes });
      const { assignment } = await getAssignment(sql, unseenId);
      assertEquals(assignment?.notes, notes);
    });

    it("changes nothing the second time, and returns the existing assignment", async () => {
      const first = await assignClientToTrainer(sql, unseenId, { notes: "first" });
      const second = await assignClientToTrainer(sql, unseenId, { notes: "second" });
      assertEquals(second, { ...first, assigned: false });
      assertEquals(await countAssignments(sql, [unseenId]), 1);
    });

    it("creates a new assignment after an ended one, which stays as history", async () => {
      const first = await assignClientToTrainer(sql, unseenId);
      await endAssignment(sql, DEFAULT_TRAINER_ID, unseenId);
      const second = await assignClientToTrainer(sql, unseenId);
      assertEquals(second.assigned, true);
      assert(second.assignment.id > first.assignment.id);
      assertEquals(await countAssignments(sql, [unseenId]), 2);
    });

    it("removes the member from the failures", async () => {
      const failedId = newId();
      await refuseAssignments(sql, `new.client_id = '${failedId}'`);
      await sql`insert into public.members (id) values (${failedId})`;
      await acceptAssignments(sql);
      await assignClientToTrainer(sql, failedId);
      assertEquals([...await sql`select from assignment.failures where member_id = ${failedId}`], []);
    });

    it("refuses an unknown member, an unknown trainer and the trainer as a client", async () => {
      await assertCode("member_not_found", () => assignClientToTrainer(sql, newId()));
      await assertCode(
        "trainer_not_found",
        () => assignClientToTrainer(sql, memberId, { trainerId: newId() }),
      );
      await assertCode(
        "member_is_trainer",
        () => assignClientToTrainer(sql, trainerId, { trainerId }),
      );
    });

    it("says with its SQLSTATE when the database refuses the row", async () => {
      await refuseAssignments(sql, `new.client_id = '${unseenId}'`);
      const error = await assertCode("assignment_failed", () => assignClientToTrainer(sql, unseenId));
      await acceptAssignments(sql);
      assertEquals(error.details, { sqlstate: "P0001" });
    });
  });

  describe("assignNewUserToTrainer", () => {
    it("assigns a member that the trigger missed", async () => {
      assertEquals(await assignNewUserToTrainer(sql, unseenId), { assigned: true, failure: null });
      assertEquals((await getAssignment(sql, unseenId)).assignment?.source, "signup");
    });

    it("changes nothing for a member that the trigger assigned", async () => {
      assertEquals(await assignNewUserToTrainer(sql, memberId), { assigned: true, failure: null });
      assertEquals((await getAssignment(sql, memberId)).assignment?.source, "trigger");
    });

    it("assigns to another trainer", async () => {
      assertEquals(await assignNewUserToTrainer(sql, unseenId, trainerId), { assigned: true, failure: null });
      assertEquals(await isUserAssignedToTrainer(sql, unseenId), false);
    });

    it("leaves an ended assignment ended", async () => {
      await endAssignment(sql, DEFAULT_TRAINER_ID, memberId);
      assertEquals(await assignNewUserToTrainer(sql, memberId), { assigned: false, failure: null });
    });

    it("assigns nobody when the member is unknown", async () => {
      assertEquals(await assignNewUserToTrainer(sql, newId()), { assigned: false, failure: null });
    });

    it("records and returns a failure instead of throwing it", async () => {
      await refuseAssignments(sql, `new.client_id = '${unseenId}'`);
      const result = await assignNewUserToTrainer(sql, unseenId);
      await acceptAssignments(sql);
      assertEquals(result, {
        assigned: false,
        failure: { sqlstate: "P0001", message: `member ${unseenId} is refused` },
      });
      const rows = await sql`select source from assignment.failures where member_id = ${unseenId}`;
      assertEquals([...rows], [{ source: "signup" }]);
    });
  });

  describe("checks:", () => {
    it("a member is assigned to a trainer or not", async () => {
      assertEquals(await isUserAssignedToTrainer(sql, memberId), true);
      assertEquals(await isUserAssignedToTrainer(sql, memberId, trainerId), false);
      assertEquals(await isUserAssignedToTrainer(sql, unseenId), false);
      assertEquals(await isUserAssignedToTrainer(sql, newId()), false);
    });

    it("many members in the order asked, repeated and unknown ones too", async () => {
      const unknownId = newId();
      const asked = [unknownId, memberId, unseenId, memberId];
      const { results } = await checkAssignments(sql, asked);
      assertEquals(results, [
        { memberId: unknownId, assigned: false },
        { memberId, assigned: true },
        { memberId: unseenId, assigned: false },
        { memberId, assigned: true },
      ]);
    });

    it("no members at all still names the trainer", async () => {
      assertEquals(await checkAssignments(sql, []), { trainerId: DEFAULT_TRAINER_ID, results: [] });
    });

    it("getAssignment shows the active assignment, or that there is none", async () => {
      const { assignment } = await getAssignment(sql, memberId);
      assertExists(assignment);
      assertEquals(assignment.source, "trigger");
      assertEquals(await getAssignment(sql, memberId, trainerId), {
        memberId,
        trainerId,
        assigned: false,
        assignment: null,
      });
      await assertCode("member_not_found", () => getAssignment(sql, newId()));
    });
  });

  describe("endAssignment", () => {
    it("leaves the row as inactive, with the time of its end", async () => {
      await endAssignment(sql, DEFAULT_TRAINER_ID, memberId);
      const rows = await sql`
        select status, ended_at is not null as has_end from public.trainer_client_assignments where client_id = ${memberId}
      `;
      assertEquals([...rows], [{ status: "inactive", hasEnd: true }]);
      assertEquals(await isUserAssignedToTrainer(sql, memberId), false);
    });

    it("refuses without an active assignment: never assigned, already ended, unknown", async () => {
      await assertCode("assignment_not_found", () => endAssignment(sql, DEFAULT_TRAINER_ID, unseenId));
      await endAssignment(sql, DEFAULT_TRAINER_ID, memberId);
      await assertCode("assignment_not_found", () => endAssignment(sql, DEFAULT_TRAINER_ID, memberId));
      await assertCode("assignment_not_found", () => endAssignment(sql, newId(), newId()));
    });
  });

  it("backfillExistingUsers assigns members that the trigger missed and skips the others", async () => {
    const result = await backfillExistingUsers(sql, { trainerId });
    assertEquals(result, {
      total: result.total,
      successful: result.total - 1,
      skipped: 1,
      failed: 0,
      errors: [],
    });
    assertEquals(await isUserAssignedToTrainer(sql, unseenId, trainerId), true);
    assertEquals((await getTrainerClients(sql, trainerId)).length, result.total - 1);
  });

  it("uses the default trainer that an admin set", async () => {
    await setDefaultTrainer(sql, trainerId, "an admin");
    const { trainerId: assignedTo } = await assignClientToTrainer(sql, unseenId);
    await setDefaultTrainer(sql, DEFAULT_TRAINER_ID, "test");
    assertEquals(assignedTo, trainerId);
  });
});

async function assertCode(code: ErrorCode, work: () => Promise<unknown>): Promise<AppError> {
  const error = await assertRejects(work, AppError);
  assertEquals(error.code, code);
  return error;
}
