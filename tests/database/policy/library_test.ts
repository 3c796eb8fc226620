import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import {
  ANY_TRAINER,
  assignClientToTrainer,
  assignNewUserToTrainer,
  backfillExistingUsers,
  checkAssignments,
  DEFAULT_TRAINER_ID,
  endAssignment,
  getAssignment,
  isUserAssignedToTrainer,
} from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";
import { addTrainers, among, countClients, putRules, setCapacity } from "../../support/policies.ts";

describe("the library, where the policy has rules", () => {
  let database: TestDatabase;
  let sql: Sql;
  let trainerId: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [trainerId = ""] = await addTrainers(sql, 1);
    await putRules(sql, [
      {
        name: "Staff",
        when: { field: "email", op: "starts_with", value: "staff" },
        assign: { choose: "nobody" },
      },
      {
        name: "Members with a name",
        when: { field: "display_name", op: "eq", value: "A name" },
        assign: among("spread", [trainerId]),
      },
    ]);
  });
  afterEach(() => database.drop());

  async function addUnseen(columns: { email?: string; displayName?: string } = {}): Promise<string> {
    const id = newId();
    const { email = null, displayName = null } = columns;
    await withoutTrigger(
      sql,
      (tx) =>
        tx`insert into public.members (id, email, display_name) values (${id}, ${email}, ${displayName})`,
    );
    return id;
  }

  it("assigns somebody who signed up as the policy says, and tells whether they have any trainer", async () => {
    const [named, staff, other] = [
      await addUnseen({ displayName: "A name" }),
      await addUnseen({ email: "staff@example.org" }),
      await addUnseen(),
    ];
    assertEquals(await assignNewUserToTrainer(sql, named), { assigned: true, failure: null });
    assertEquals(await assignNewUserToTrainer(sql, staff), { assigned: false, failure: null });
    assertEquals(await assignNewUserToTrainer(sql, other), { assigned: true, failure: null });
    assertEquals(await isUserAssignedToTrainer(sql, named, trainerId), true);
    assertEquals(await isUserAssignedToTrainer(sql, other), true);
    assertEquals(await isUserAssignedToTrainer(sql, named), false);
  });

  it("assigns them to a trainer who is named, whatever the rules say", async () => {
    const staff = await addUnseen({ email: "staff@example.org" });
    assertEquals(await assignNewUserToTrainer(sql, staff, trainerId), { assigned: true, failure: null });
    assertEquals(await isUserAssignedToTrainer(sql, staff, trainerId), true);
  });

  it("returns and records a signup for whom no trainer has room", async () => {
    await setCapacity(sql, DEFAULT_TRAINER_ID, 0);
    const memberId = await addUnseen();
    const { assigned, failure } = await assignNewUserToTrainer(sql, memberId);
    assertEquals([assigned, failure?.sqlstate], [false, "TA011"]);
    const [recorded] = await sql<{ memberId: string }[]>`select member_id from assignment.failures`;
    assertEquals(recorded?.memberId, memberId);
  });

  it("backfills as the policy says, and to one trainer if one is named", async () => {
    for (let n = 0; n < 5; n++) await addUnseen({ displayName: "A name" });
    for (let n = 0; n < 3; n++) await addUnseen({ email: "staff@example.org" });
    await addUnseen();
    const [, before = 0] = await countClients(sql, [trainerId, DEFAULT_TRAINER_ID]);
    const byPolicy = await backfillExistingUsers(sql);
    assertEquals([byPolicy.successful, byPolicy.failed], [6, 0]);
    assertEquals(await countClients(sql, [trainerId, DEFAULT_TRAINER_ID]), [5, before + 1]);
    const toOne = await backfillExistingUsers(sql, { trainerId });
    assertEquals(toOne.successful, 5, "staff, the other member and the default trainer");
  });

  it("assigns by hand beyond the capacity by force only", async () => {
    const memberId = await addUnseen();
    await setCapacity(sql, trainerId, 0);
    const error = await assertRejects(() => assignClientToTrainer(sql, memberId, { trainerId }), AppError);
    assertEquals(error.code, "no_room");
    assertEquals((await assignClientToTrainer(sql, memberId, { trainerId, force: true })).assigned, true);
  });

  it("finds an assignment to any trainer", async () => {
    const [named, none] = [await addUnseen({ displayName: "A name" }), await addUnseen()];
    await assignNewUserToTrainer(sql, named);
    const found = await getAssignment(sql, named, ANY_TRAINER);
    assertEquals([found.trainerId, found.assigned, found.assignment?.source], [trainerId, true, "signup"]);
    assertEquals(await getAssignment(sql, none, ANY_TRAINER), {
      memberId: none,
      trainerId: "any",
      assigned: false,
      assignment: null,
    });
    assertEquals((await checkAssignments(sql, [none, named], ANY_TRAINER)).results, [
      { memberId: none, assigned: false },
      { memberId: named, assigned: true },
    ]);
    await endAssignment(sql, trainerId, named);
    assertEquals(await isUserAssignedToTrainer(sql, named, ANY_TRAINER), false);
  });
});

describe("the library, where the policy gives everybody the same trainer", () => {
  it("tells of a signup whether they have that one, though another trains them", async () => {
    const database = await testDatabase();
    const { sql } = database;
    const [trainerId = "", memberId = ""] = await addTrainers(sql, 2);
    await assignClientToTrainer(sql, memberId, { trainerId });
    await endAssignment(sql, DEFAULT_TRAINER_ID, memberId);
    assertEquals(await assignNewUserToTrainer(sql, memberId), { assigned: false, failure: null });
    await database.drop();
  });
});
