import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { plansOf } from "../support/notices.ts";

describe("a function that rules out a kind of plan", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  // Before PostgreSQL 18 a plan that has to do so all the same costs ten billion, and compiling it takes seconds.
  it("compiles none, however much it seems to cost", async () => {
    const functions = await database.sql<{ name: string; compiles: boolean }[]>`
      select proname as name, not 'jit=off' = any (proconfig) as compiles
      from pg_proc
      where pronamespace = 'assignment'::regnamespace and array_to_string(proconfig, ' ') like '%enable_%'
      order by name
    `;
    assertGreater(functions.length, 0);
    assertEquals(functions.filter(({ compiles }) => compiles), []);
  });

  it("compares all members with all assignments at once in the proof of a run by the policy", async () => {
    const plans = await plansOf(
      database.url,
      "select from assignment.find_undecided_members(1, 'ffffffff-ffff-ffff-ffff-ffffffffffff')",
    );
    const [plan = ""] = plans.filter((text) => text.includes("policy_version"));
    assertMatch(plan, /Anti Join/);
    assertEquals(plan.includes("SubPlan"), false, plan);
  });
});
