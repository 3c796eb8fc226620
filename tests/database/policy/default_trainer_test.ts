import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import { getPolicy, setDefaultTrainer } from "../../../src/policy/policies.ts";
import {
  assignClientToTrainer,
  checkAssignments,
  DEFAULT_TRAINER_ID,
  getAssignment,
  isUserAssignedToTrainer,
} from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("the default trainer", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterEach(() => database.drop());

  async function signUp(): Promise<string> {
    const id = newId();
    await sql`insert into public.members (id) values (${id})`;
    return id;
  }

  it("is initially the exported one, set by the migration", async () => {
    const { version, policy, createdBy } = await getPolicy(sql);
    assertEquals([version, policy.defaultTrainerId, createdBy], [1, DEFAULT_TRAINER_ID, "migration"]);
  });

  it("gets the members that sign up after its change, and nobody is moved", async () => {
    const [early, trainerId] = [await signUp(), await signUp()];
    await setDefaultTrainer(sql, trainerId, "an admin");
    const late = await signUp();
    const check = async (of: string) =>
      (await checkAssignments(sql, [early, late], of)).results.map(({ assigned }) => assigned);
    assertEquals([await check(DEFAULT_TRAINER_ID), await check(trainerId)], [[true, false], [false, true]]);
  });

  it("is shown with who set it and when", async () => {
    const trainerId = await signUp();
    const before = await getPolicy(sql);
    const after = await setDefaultTrainer(sql, trainerId, "an admin");
    assertEquals(await getPolicy(sql), after);
    assertEquals([after.version, after.policy.defaultTrainerId, after.createdBy], [2, trainerId, "an admin"]);
    assert(after.createdAt > before.createdAt);
  });

  it("cannot become somebody who is not a member", async () => {
    const error = await assertRejects(() => setDefaultTrainer(sql, newId(), "an admin"), AppError);
    assertEquals(error.code, "trainer_not_found");
    assertEquals((await getPolicy(sql)).policy.defaultTrainerId, DEFAULT_TRAINER_ID);
  });

  it("raises trainer_not_found when its row was removed by hand", async () => {
    const id = await signUp();
    await sql`delete from assignment.settings`;
    for (
      const ask of [
        () => getAssignment(sql, id),
        () => isUserAssignedToTrainer(sql, id),
        () => assignClientToTrainer(sql, id),
      ]
    ) {
      const error = await assertRejects(ask, AppError);
      assertEquals(error.code, "trainer_not_found");
    }
    assertEquals(await isUserAssignedToTrainer(sql, id, DEFAULT_TRAINER_ID), true);
  });

  it("can be set again after its row was removed by hand", async () => {
    await sql`delete from assignment.settings`;
    await setDefaultTrainer(sql, DEFAULT_TRAINER_ID, "an admin");
    assertEquals(await isUserAssignedToTrainer(sql, await signUp()), true);
  });

  it("has one row only", async () => {
    for (const onlyRow of [true, false]) {
      await assertRejects(
        () =>
          sql`insert into assignment.settings (only_row, default_trainer_id) values (${onlyRow}, ${DEFAULT_TRAINER_ID})`,
        postgres.PostgresError,
      );
    }
  });
});
