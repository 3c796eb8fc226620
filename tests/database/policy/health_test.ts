/** A policy whose columns and trainers go away: what it still does, and what /readyz says. */
import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import type { Condition } from "../../../src/policy/condition.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, among, putRules } from "../../support/policies.ts";

describe("a rule", () => {
  let database: TestDatabase;
  let sql: Sql;
  let first: string;
  let second: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    const [one, two] = await addTrainers(sql, 2);
    [first, second] = [one ?? "", two ?? ""];
    await sql`alter table public.members add column plan text, add column coach_id uuid`;
  });
  afterEach(() => database.drop());

  async function signUp(): Promise<string | undefined> {
    const id = newId();
    await sql`insert into public.members (id) values (${id})`;
    const [row] = await sql<{ trainerId: string }[]>`
      select trainer_id from public.trainer_client_assignments where client_id = ${id}
    `;
    return row?.trainerId;
  }

  async function policyCheck() {
    const { status, checks } = await checkHealth(sql);
    return [status, checks.policy.detail];
  }

  const gone = (column: string) =>
    `rule 1 (Pro) matches nobody, because members has no column ${column} any more: give the column its name back, ` +
    "or change the rule with PUT /v1/policy";

  for (
    const [what, change] of [
      ["dropped", "drop column plan"],
      ["renamed", "rename column plan to tier"],
    ] as const
  ) {
    for (
      const when of [
        { field: "plan", op: "missing" },
        { not: { field: "plan", op: "eq", value: "pro" } },
        { any: [{ field: "plan", op: "exists" }, { field: "email", op: "missing" }] },
      ] as Condition[]
    ) {
      it(`that asks a column that was ${what} matches nobody: ${JSON.stringify(when)}`, async () => {
        await putRules(sql, [
          { name: "Pro", when, assign: among("spread", [first]) },
          { name: "All", assign: among("spread", [second]) },
        ]);
        assertEquals(await signUp(), first);
        await sql.unsafe(`alter table public.members ${change}`);
        assertEquals(await signUp(), second);
        assertEquals(await policyCheck(), ["degraded", gone("plan")]);
      });
    }
  }

  it("works again when its column is back", async () => {
    await putRules(sql, [{
      name: "Pro",
      when: { field: "plan", op: "missing" },
      assign: among("spread", [first]),
    }]);
    await sql`alter table public.members rename column plan to tier`;
    await sql`alter table public.members rename column tier to plan`;
    assertEquals([await signUp(), (await policyCheck())[0]], [first, "ready"]);
  });

  it("whose field names the trainer and was dropped gives way to the default trainer", async () => {
    await putRules(sql, [{ name: "Pro", assign: { choose: "field", field: "coach_id" } }]);
    await sql`alter table public.members drop column coach_id`;
    assertEquals([await signUp(), await policyCheck()], [DEFAULT_TRAINER_ID, ["degraded", gone("coach_id")]]);
  });

  it("is told of once for each column that is gone, of the version in force alone", async () => {
    const when: Condition = {
      all: [{ field: "plan", op: "exists" }, { field: "plan", op: "ne", value: "x" }, {
        field: "coach_id",
        op: "exists",
      }],
    };
    await putRules(sql, [{ name: "Pro", when, assign: { choose: "nobody" } }]);
    await sql`alter table public.members drop column plan, drop column coach_id`;
    assertEquals((await policyCheck())[1], [gone("coach_id"), gone("plan")].join("; "));
    await putRules(sql, []);
    assertEquals((await policyCheck())[0], "ready");
  });

  it("whose column became another type is told of until the policy is saved again", async () => {
    const rules = [{
      name: "Pro",
      when: { field: "plan", op: "eq", value: "5" } as Condition,
      assign: among("spread", [first]),
    }];
    await putRules(sql, rules);
    await sql`alter table public.members alter column plan type varchar(20)`;
    assertEquals((await policyCheck())[0], "ready");
    await sql`alter table public.members alter column plan type integer using plan::integer`;
    assertEquals(await policyCheck(), [
      "degraded",
      "rule 1 (Pro) was written before the column plan became integer, and may match nobody: " +
      "look at its values and save the policy again with PUT /v1/policy",
    ]);
    await putRules(sql, [{
      ...rules[0],
      name: "Pro",
      assign: among("spread", [first]),
      when: { field: "plan", op: "eq", value: 5 },
    }]);
    assertEquals((await policyCheck())[0], "ready");
  });

  it("whose trainer is no member any more goes on with the others, and is told of", async () => {
    await putRules(sql, [{ name: "Coaches", assign: among("spread", [first, second]) }]);
    await sql`delete from public.members where id = ${first}`;
    assertEquals([await signUp(), await policyCheck()], [second, [
      "degraded",
      `rule 1 (Coaches) names the trainer ${first}, who is not a member: change it with PUT /v1/policy`,
    ]]);
  });

  it("without any trainer left gives way to the default trainer", async () => {
    await putRules(sql, [{ name: "Coaches", assign: among("all", [first]) }]);
    await sql`delete from public.members where id = ${first}`;
    assertEquals(await signUp(), DEFAULT_TRAINER_ID);
  });

  it("takes members while the default trainer is none, which is told of", async () => {
    await putRules(sql, [{ name: "Coaches", assign: among("spread", [first]) }]);
    await sql`delete from public.trainer_client_assignments`;
    await sql`delete from public.members where id = ${DEFAULT_TRAINER_ID}`;
    assertEquals(await signUp(), first);
    const { checks } = await checkHealth(sql);
    assertEquals([checks.defaultTrainer.status, checks.policy.status], ["degraded", "ok"]);
  });

  it("stays as it is while the policy cannot be seen for a lock", async () => {
    await database.newConnection().begin(async (locker) => {
      await locker`lock table assignment.policy_rules in access exclusive mode`;
      const { status, checks } = await checkHealth(sql);
      assertEquals([status, checks.policy.detail.slice(0, 8)], ["degraded", "unknown:"]);
    });
  });

  it("may be told of by the role of the service", async () => {
    await putRules(sql, [{
      name: "Pro",
      when: { field: "plan", op: "exists" },
      assign: { choose: "nobody" },
    }]);
    await sql`alter table public.members drop column plan`;
    assertEquals((await checkHealth(await database.newServicePool())).checks.policy.detail, gone("plan"));
  });
});
