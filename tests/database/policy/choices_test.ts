import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import type { Rule } from "../../../src/policy/document.ts";
import { retryRun } from "../../../src/runs/runs.ts";
import { backfillExistingUsers, DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId, newIds } from "../../support/assignments.ts";
import { driveToEnd, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, refuseAssignments, withoutTrigger } from "../../support/members.ts";
import {
  addTrainers,
  among,
  countClients,
  countRoom,
  putRules,
  setCapacity,
} from "../../support/policies.ts";

describe("a rule", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string, ben: string, cleo: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    await sql.unsafe("alter table public.members add plan text, add coach text");
    [anna = "", ben = "", cleo = ""] = await addTrainers(sql, 3);
  });
  afterEach(() => database.drop());

  /** Inserts members in one statement; returns their ids in order. */
  async function signUp(count: number, values: { plan?: string; coach?: string } = {}): Promise<string[]> {
    const ids = newIds(count).toSorted();
    await sql`
      insert into public.members (id, plan, coach)
      select unnest(${ids}::uuid[]), ${values.plan ?? null}, ${values.coach ?? null}
    `;
    return ids;
  }

  /** Who trains a member, by which rule, and how the member's failure reads. */
  async function outcomeOf(id: string) {
    const rows = await sql<{ trainerId: string; rule: number | null }[]>`
      select trainer_id, rule
      from public.trainer_client_assignments
      where client_id = ${id} and status = 'active'
      order by trainer_id
    `;
    const [failure] = await sql<{ sqlstate: string }[]>`
      select sqlstate from assignment.failures where member_id = ${id}
    `;
    return { trainers: rows.map(({ trainerId, rule }) => [trainerId, rule]), failure: failure?.sqlstate };
  }
  const assigned = (trainerId: string, rule: number | null) => ({
    trainers: [[trainerId, rule]],
    failure: undefined,
  });

  const pro: Rule["when"] = { field: "plan", op: "eq", value: "pro" };

  it("takes the members whom it matches; the default trainer gets the others", async () => {
    const version = await putRules(sql, [{ name: "pro", when: pro, assign: among("spread", [anna]) }]);
    const [one = ""] = await signUp(1, { plan: "pro" });
    const [other = ""] = await signUp(1, { plan: "free" });
    assertEquals(await outcomeOf(one), assigned(anna, 1));
    assertEquals(await outcomeOf(other), assigned(DEFAULT_TRAINER_ID, null));
    const versions = await sql`
      select distinct policy_version from public.trainer_client_assignments where client_id = any (${[
      one,
      other,
    ]}::uuid[])
    `;
    assertEquals([...versions], [{ policyVersion: version }]);
  });

  it("that comes first decides", async () => {
    await putRules(sql, [
      { name: "pro", when: pro, assign: among("spread", [anna]) },
      { name: "everybody", assign: among("spread", [ben]) },
    ]);
    const [one = ""] = await signUp(1, { plan: "pro" });
    const [other = ""] = await signUp(1);
    assertEquals([await outcomeOf(one), await outcomeOf(other)], [assigned(anna, 1), assigned(ben, 2)]);
  });

  it("that chooses nobody leaves members alone, who are no failures", async () => {
    await putRules(sql, [{ name: "staff", when: pro, assign: { choose: "nobody" } }]);
    const [one = ""] = await signUp(1, { plan: "pro" });
    assertEquals(await outcomeOf(one), { trainers: [], failure: undefined });
    const run = await backfillExistingUsers(sql);
    assertEquals([run.failed, (await outcomeOf(one)).trainers], [0, []]);
  });

  it("that chooses a field follows the member's row; a name of nobody, or of themselves, is no match", async () => {
    await putRules(sql, [{ name: "asked for", assign: { choose: "field", field: "coach" } }]);
    for (
      const [coach, expected] of [[ben, assigned(ben, 1)], [ben.toUpperCase(), assigned(ben, 1)]] as const
    ) {
      assertEquals(await outcomeOf((await signUp(1, { coach }))[0] ?? ""), expected);
    }
    for (const coach of [undefined, "", "nobody", newId(), "anna"]) {
      const [id = ""] = await signUp(1, coach === undefined ? {} : { coach });
      assertEquals(await outcomeOf(id), assigned(DEFAULT_TRAINER_ID, null), coach);
    }
    const own = newId();
    await sql`insert into public.members (id, coach) values (${own}, ${own})`;
    assertEquals(await outcomeOf(own), assigned(DEFAULT_TRAINER_ID, null));
  });

  it("that chooses all gives each member every trainer", async () => {
    await putRules(sql, [{ name: "team", assign: among("all", [anna, ben, cleo]) }]);
    const ids = await signUp(50);
    assertEquals(await countClients(sql, [anna, ben, cleo, DEFAULT_TRAINER_ID]), [50, 50, 50, 3]);
    assertEquals((await outcomeOf(ids[0] ?? "")).trainers.length, 3);
  });

  it("that spreads gives shares by weight, the same whoever asks", async () => {
    const rule: Rule = {
      name: "spread",
      assign: { choose: "spread", trainers: [{ trainerId: anna, weight: 3 }, { trainerId: ben, weight: 1 }] },
    };
    await putRules(sql, [rule]);
    const ids = await signUp(2000);
    const [annas = 0, bens = 0] = await countClients(sql, [anna, ben]);
    assertEquals(annas + bens, 2000);
    assert(annas > 1430 && annas < 1570, `${annas} of 2000`); // 1500 ± 3.6 standard deviations

    const before =
      await sql`select client_id, trainer_id from public.trainer_client_assignments where rule = 1 order by 1`;
    await sql`delete from public.trainer_client_assignments where client_id = any (${ids}::uuid[])`;
    await backfillExistingUsers(sql);
    const after = await sql`
      select client_id, trainer_id from public.trainer_client_assignments
      where rule = 1 and client_id = any (${ids}::uuid[]) order by 1
    `;
    assertEquals([...after], [...before]);
  });

  it("that spreads fills trainers to the seat, and the next rule takes the others", async () => {
    await setCapacity(sql, anna, 10);
    await setCapacity(sql, ben, 20);
    await putRules(sql, [
      { name: "first", assign: among("spread", [anna, ben]) },
      { name: "second", assign: among("spread", [cleo]) },
    ]);
    await signUp(100);
    assertEquals(await countClients(sql, [anna, ben, cleo]), [10, 20, 70]);
    assertEquals([await countRoom(sql, anna), await countRoom(sql, ben)], [0, 0]);
  });

  it("that chooses the most room fills to the same share, and gives to whoever is idle the longest", async () => {
    await setCapacity(sql, anna, 100);
    await setCapacity(sql, ben, 50);
    await putRules(sql, [{ name: "room", assign: among("most_room", [anna, ben]) }]);
    await signUp(75);
    assertEquals(await countClients(sql, [anna, ben]), [50, 25]);
    for (let count = 0; count < 75; count++) await signUp(1);
    assertEquals(await countClients(sql, [anna, ben, DEFAULT_TRAINER_ID]), [100, 50, 3]);
    await signUp(1);
    assertEquals(await countClients(sql, [anna, ben, DEFAULT_TRAINER_ID]), [100, 50, 4]);
  });

  it("that chooses the most room gives its own trainers another one of them", async () => {
    const [other = ""] = await signUp(1);
    await sql`delete from public.trainer_client_assignments`;
    await putRules(sql, [{ name: "room", assign: among("most_room", [anna, ben]) }]);
    await sql`select assignment.assign_or_record(${[anna, ben, other]}::uuid[], 'signup')`;
    assertEquals(await outcomeOf(anna), assigned(ben, 1));
    assertEquals(await outcomeOf(ben), assigned(anna, 1));
    assertEquals((await outcomeOf(other)).trainers.length, 1);
  });

  it("that chooses all keeps the trainers who could be assigned when one could not, and has that one retried", async () => {
    await putRules(sql, [{ name: "team", assign: among("all", [anna, ben]) }]);
    await refuseAssignments(sql, `new.trainer_id = '${ben}'`);
    const [signedUp = ""] = await signUp(1);
    const given = newId();
    await withoutTrigger(
      sql,
      (transaction) => transaction`insert into public.members (id) values (${given})`,
    );
    const run = await runBackfill(sql);
    assertEquals([run.status, run.failed], ["completed_with_errors", 5]); // Ben himself gets Anna
    assertEquals(await outcomeOf(signedUp), { trainers: [[anna, 1]], failure: "P0001" });
    assertEquals(await outcomeOf(given), { trainers: [[anna, 1]], failure: undefined }); // the run's, not the trigger's

    await acceptAssignments(sql);
    const again = await driveToEnd(sql, await retryRun(sql, run.id, "test"));
    assertEquals([again.status, again.successful], ["succeeded", 5]);
    const both = [anna, ben].toSorted().map((trainerId) => [trainerId, 1]);
    for (const id of [signedUp, given]) assertEquals((await outcomeOf(id)).trainers, both);
  });

  it("that waits when full records members, who are assigned once there is room", async () => {
    await setCapacity(sql, anna, 1);
    await putRules(sql, [{ name: "vip", assign: among("spread", [anna], "wait") }]);
    const [first = ""] = await signUp(1);
    const [second = ""] = await signUp(1);
    assertEquals(await outcomeOf(first), assigned(anna, 1));
    assertEquals(await outcomeOf(second), { trainers: [], failure: "TA011" });

    await sql`select assignment.end_assignment(${first}, ${anna})`;
    const [{ succeeded }] = await sql<
      [{ succeeded: number }]
    >`select succeeded from assignment.retry_failures()`;
    assertEquals([succeeded, await outcomeOf(second)], [1, assigned(anna, 1)]);
  });

  it("that waits for a field's trainer waits only for members who name one", async () => {
    await setCapacity(sql, anna, 0);
    await putRules(sql, [{
      name: "asked for",
      assign: { choose: "field", field: "coach", whenFull: "wait" },
    }]);
    const [named = ""] = await signUp(1, { coach: anna });
    const [unnamed = ""] = await signUp(1);
    assertEquals((await outcomeOf(named)).failure, "TA011");
    assertEquals(await outcomeOf(unnamed), assigned(DEFAULT_TRAINER_ID, null));
  });

  it("passes over a trainer who accepts no clients, or is no member any more", async () => {
    await setCapacity(sql, anna, null, false);
    await putRules(sql, [{ name: "spread", assign: among("spread", [anna, ben, cleo]) }]);
    await sql`delete from public.members where id = ${cleo}`;
    await signUp(20);
    assertEquals(await countClients(sql, [anna, ben]), [0, 20]);
  });

  it("leaves a member of whom nobody has room recorded, also when that is the default trainer", async () => {
    await setCapacity(sql, DEFAULT_TRAINER_ID, 3); // the three trainers
    const [one = ""] = await signUp(1);
    assertEquals(await outcomeOf(one), { trainers: [], failure: "TA011" });
    await setCapacity(sql, DEFAULT_TRAINER_ID, 4);
    await sql`select assignment.retry_failures()`;
    assertEquals(await outcomeOf(one), assigned(DEFAULT_TRAINER_ID, null));
  });

  it("is met by a trainer of its own whom the member has, or had", async () => {
    const [one = "", other = ""] = await signUp(2, { plan: "pro" });
    await sql`select assignment.assign_member(${one}, ${ben})`;
    await sql`select assignment.assign_member(${other}, ${ben})`;
    await sql`select assignment.end_assignment(${other}, ${ben})`;
    await putRules(sql, [{ name: "pro", when: pro, assign: among("spread", [anna, ben]) }]);
    await backfillExistingUsers(sql);
    assertEquals(
      (await outcomeOf(one)).trainers.map(([id]) => id).toSorted(),
      [ben, DEFAULT_TRAINER_ID].toSorted(),
    );
    assertEquals((await outcomeOf(other)).trainers.map(([id]) => id), [DEFAULT_TRAINER_ID]);
  });

  it("that chooses all gives the missing ones to a member who has one of them", async () => {
    const [one = ""] = await signUp(1);
    await sql`select assignment.assign_member(${one}, ${ben})`;
    await setCapacity(sql, ben, 1); // the seat that the member has
    await putRules(sql, [{ name: "team", assign: among("all", [anna, ben]) }]);
    await backfillExistingUsers(sql);
    assertEquals(
      (await outcomeOf(one)).trainers.map(([id]) => id).toSorted(),
      [anna, ben, DEFAULT_TRAINER_ID].toSorted(),
    );
  });

  it("leaves members with any trainer alone where the policy respects other trainers", async () => {
    const [old = ""] = await signUp(1);
    const late = newId();
    await withoutTrigger(sql, (transaction) => transaction`insert into public.members (id) values (${late})`);
    await putRules(sql, [{ name: "everybody", assign: among("spread", [anna]) }], {
      respectsOtherTrainers: true,
    });
    await backfillExistingUsers(sql);
    assertEquals([await outcomeOf(old), await outcomeOf(late)], [
      assigned(DEFAULT_TRAINER_ID, null),
      assigned(anna, 1),
    ]);
  });

  it("leaves members with any trainer alone also without rules, when the default trainer changes", async () => {
    const [old = ""] = await signUp(1);
    await putRules(sql, [], { respectsOtherTrainers: true, defaultTrainerId: ben });
    const [late = ""] = await signUp(1);
    await backfillExistingUsers(sql);
    assertEquals([await outcomeOf(old), await outcomeOf(late)], [
      assigned(DEFAULT_TRAINER_ID, null),
      assigned(ben, null),
    ]);
  });
});
