import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import type { Rule } from "../../../src/policy/document.ts";
import { assignClientToTrainer, DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId, newIds } from "../../support/assignments.ts";
import { runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, among, putRules, setCapacity } from "../../support/policies.ts";

describe("a member who waits for room", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string, ben: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    await sql.unsafe("alter table public.members add plan text, add coach text");
    [anna = "", ben = ""] = await addTrainers(sql, 2);
    await setCapacity(sql, anna, 1);
    await setCapacity(sql, ben, 0);
  });
  afterEach(() => database.drop());

  const vip: Rule["when"] = { field: "plan", op: "eq", value: "vip" };

  async function signUp(values: { plan?: string; coach?: string } = {}): Promise<string> {
    const id = newId();
    await sql`
      insert into public.members (id, plan, coach) values (${id}, ${values.plan ?? null}, ${
      values.coach ?? null
    })
    `;
    return id;
  }

  async function dueOf(): Promise<string[]> {
    const rows = await sql<{ memberId: string }[]>`
      select member_id from assignment.failures where next_attempt_at <= now() order by first_failed_at, member_id
    `;
    return rows.map(({ memberId }) => memberId);
  }

  /** Retries what is due; returns the active assignments of the member. */
  async function retry(id: string): Promise<string[]> {
    await sql`select assignment.retry_failures()`;
    const rows = await sql<{ trainerId: string }[]>`
      select trainer_id from public.trainer_client_assignments where client_id = ${id} and status = 'active'
    `;
    return rows.map(({ trainerId }) => trainerId);
  }

  async function end(id: string): Promise<void> {
    await sql`select assignment.end_assignment(${id}, trainer_id) from public.trainer_client_assignments where client_id = ${id}`;
  }

  it("goes on waiting after a run that found no room either, whoever else trains them meanwhile", async () => {
    await putRules(sql, [{ name: "vip", when: vip, assign: among("spread", [ben], "wait") }]);
    const id = await signUp({ plan: "vip" });
    await assignClientToTrainer(sql, id, { trainerId: anna });
    const run = await runBackfill(sql);
    assertEquals([run.status, run.errors.map(({ memberId }) => memberId)], ["completed_with_errors", [id]]);
    await setCapacity(sql, ben, 1);
    assertEquals((await retry(id)).toSorted(), [anna, ben]);
  });

  it("is due at once when a seat of the rule is given back: who waits longest first", async () => {
    await putRules(sql, [{ name: "vip", when: vip, assign: among("spread", [anna], "wait") }]);
    const first = await signUp({ plan: "vip" });
    const waiting = [
      await signUp({ plan: "vip" }),
      await signUp({ plan: "vip" }),
      await signUp({ plan: "vip" }),
    ];
    assertEquals(await dueOf(), []);
    await end(first);
    assertEquals(await dueOf(), waiting.slice(0, 1));
    assertEquals(await retry(waiting[0] ?? ""), [anna]);
    assertEquals(await dueOf(), []);
  });

  it("is due at once when room comes with the capacity, or the trainer accepts clients again", async () => {
    await putRules(sql, [{ name: "vip", when: vip, assign: among("spread", [ben], "wait") }]);
    const one = await signUp({ plan: "vip" });
    await setCapacity(sql, ben, 1);
    assertEquals([await dueOf(), await retry(one)], [[one], [ben]]);

    await setCapacity(sql, ben, null, false);
    const two = await signUp({ plan: "vip" });
    assertEquals(await dueOf(), []);
    await setCapacity(sql, ben, null, true);
    assertEquals([await dueOf(), await retry(two)], [[two], [ben]]);
  });

  it("is due at once when the default trainer has room again", async () => {
    await setCapacity(sql, DEFAULT_TRAINER_ID, 2); // Anna and Ben
    const one = await signUp();
    await end(anna);
    assertEquals([await dueOf(), await retry(one)], [[one], [DEFAULT_TRAINER_ID]]);
  });

  it("is due at once when an earlier rule has room, though the default trainer was full last", async () => {
    await setCapacity(sql, DEFAULT_TRAINER_ID, 2);
    await putRules(sql, [{ name: "vip", when: vip, assign: among("spread", [anna], "next") }]);
    const first = await signUp({ plan: "vip" });
    const one = await signUp({ plan: "vip" });
    await end(first);
    assertEquals([await dueOf(), await retry(one)], [[one], [anna]]);
  });

  it("is due at once when the trainer whom they named has room, whoever else waits for another", async () => {
    await putRules(sql, [{
      name: "asked for",
      assign: { choose: "field", field: "coach", whenFull: "wait" },
    }]);
    const first = await signUp({ coach: anna });
    for (const _ of newIds(5)) await signUp({ coach: ben });
    const one = await signUp({ coach: anna });
    await end(first);
    assertEquals(await retry(one), [anna]);
  });

  it("for a trainer who was asked for by name is due at once", async () => {
    const first = await signUp();
    await sql`select assignment.assign_member(${first}, ${anna})`;
    const one = await signUp();
    await sql`select assignment.assign_or_record(array[${one}]::uuid[], 'signup', ${anna})`;
    assertEquals(await dueOf(), []);
    await sql`select assignment.end_assignment(${first}, ${anna})`;
    assertEquals((await retry(one)).toSorted(), [anna, DEFAULT_TRAINER_ID].toSorted());
  });

  it("is due at once when the policy changes", async () => {
    await putRules(sql, [{ name: "vip", when: vip, assign: among("spread", [ben], "wait") }]);
    const one = await signUp({ plan: "vip" });
    await putRules(sql, []);
    assertEquals([await dueOf(), await retry(one)], [[one], [DEFAULT_TRAINER_ID]]);
  });

  it("is nobody whose only trainer would be themselves: they get the next", async () => {
    await sql`update public.members set plan = 'vip' where id = ${anna}`;
    await sql`delete from public.trainer_client_assignments where client_id = ${anna}`;
    await putRules(sql, [
      { name: "vip", when: vip, assign: among("spread", [anna], "wait") },
      { name: "everybody", assign: among("spread", [anna, ben], "next") },
    ]);
    await setCapacity(sql, ben, 1);
    await sql`select assignment.assign_or_record(array[${anna}]::uuid[], 'signup')`;
    assertEquals(await retry(anna), [ben]);
  });

  it("is not due when somebody else's seat is given back", async () => {
    const [cleo = ""] = await addTrainers(sql, 1);
    await setCapacity(sql, cleo, 1);
    await putRules(sql, [
      { name: "vip", when: vip, assign: among("spread", [ben], "wait") },
      { name: "everybody", assign: among("spread", [cleo], "next") },
    ]);
    const first = await signUp();
    await signUp({ plan: "vip" });
    await end(first);
    assertEquals(await dueOf(), []);
  });
});
