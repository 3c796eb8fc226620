import { assertEquals, assertObjectMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import type { Rule } from "../../../src/policy/document.ts";
import { getRun, retryRun, startBackfill, startTransfer } from "../../../src/runs/runs.ts";
import { newIds } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";
import {
  addTrainers,
  among,
  countClients,
  countRoom,
  putRules,
  setCapacity,
} from "../../support/policies.ts";
import { waitUntil } from "../../support/wait_until.ts";

describe("a backfill that reassigns", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string;
  let ben: string;
  let cleo: string;
  let names: Map<string, string>;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [anna = "", ben = "", cleo = ""] = await addTrainers(sql, 3);
    names = new Map([[anna, "anna"], [ben, "ben"], [cleo, "cleo"]]);
    await sql`delete from public.trainer_client_assignments`;
    await put(anna);
  });
  afterEach(() => database.drop());

  /** Puts a policy that gives the trainers nobody, and others by the rules, else the default trainer. */
  async function put(defaultTrainerId: string, rules: Rule[] = [], respectsOtherTrainers = false) {
    const ids = await sql<{ id: string }[]>`
      select id from public.members where id in ${
      sql([anna, ben, cleo])
    } or created_at < (select created_at from public.members where id = ${anna})
    `;
    const trainers: Rule = {
      name: "trainers",
      when: { field: "id", op: "in", value: ids.map(({ id }) => id) },
      assign: { choose: "nobody" },
    };
    return await putRules(sql, [trainers, ...rules], { defaultTrainerId, respectsOtherTrainers });
  }

  /** Signs members up, so that the policy in force assigns them. */
  async function signUp(count: number, name = "somebody"): Promise<string[]> {
    const ids = newIds(count).toSorted();
    await sql`insert into public.members (id, display_name) select id, ${name} from unnest(${ids}::uuid[]) as m (id)`;
    return ids;
  }

  async function reassign(options: { dryRun?: boolean } = {}) {
    const run = await startBackfill(sql, { reassign: true, requestedBy: "ops", ...options });
    return { ...await driveToEnd(sql, run) };
  }

  /** Every assignment of a member in words, the oldest first. */
  async function historyOf(memberId: string): Promise<string[]> {
    const rows = await sql<{ trainerId: string; status: string; endedBy: string; endedBecause: string }[]>`
      select trainer_id, status, ended_by, ended_because
      from public.trainer_client_assignments
      where client_id = ${memberId}
      order by id
    `;
    return rows.map(({ trainerId, status, endedBy, endedBecause }) =>
      `${names.get(trainerId)} ${status === "active" ? status : `ended by ${endedBy}: ${endedBecause}`}`
    );
  }

  it("moves clients from the former default trainer to the new one, and a second run skips all", async () => {
    const [one = ""] = await signUp(20);
    const version = await put(ben);
    const run = await reassign();
    assertObjectMatch(run, {
      kind: "backfill",
      reassign: true,
      trainerId: null,
      policyVersion: version,
      status: "succeeded",
      total: 24,
      successful: 20,
      skippedBecause: { excluded: 4, alreadyAssigned: 0 },
      remaining: 0,
    });
    assertEquals(await countClients(sql, [anna, ben]), [0, 20]);
    assertEquals(await historyOf(one), ["anna ended by ops: reassign", "ben active"]);
    const [row] = await sql`
      select source, assigned_by, policy_version, rule, backfill_run_id
      from public.trainer_client_assignments
      where client_id = ${one} and status = 'active'
    `;
    assertEquals(row, {
      source: "backfill",
      assignedBy: "ops",
      policyVersion: version,
      rule: null,
      backfillRunId: run.id,
    });
    assertObjectMatch(await reassign(), {
      status: "succeeded",
      successful: 0,
      skipped: 24,
      skippedBecause: { alreadyAssigned: 20, excluded: 4 },
    });
  });

  it("follows changed rules, and keeps whoever has a trainer of their rule", async () => {
    const [german = ""] = await signUp(1, "German");
    const others = await signUp(40);
    await put(anna, [
      {
        name: "German",
        when: { field: "display_name", op: "eq", value: "German" },
        assign: among("spread", [ben]),
      },
      { name: "others", assign: among("spread", [anna, cleo]) },
    ]);
    assertObjectMatch(await reassign(), { successful: 1, skippedBecause: { alreadyAssigned: 40 } });
    assertEquals(await historyOf(german), ["anna ended by ops: reassign", "ben active"]);
    assertEquals(await countClients(sql, [anna, ben, cleo]), [40, 1, 0]);

    await sql`update public.members set display_name = 'German' where id = ${others[0] ?? ""}`;
    assertObjectMatch(await reassign(), { successful: 1, skippedBecause: { alreadyAssigned: 40 } });
    assertEquals(await countClients(sql, [anna, ben, cleo]), [39, 2, 0]);
  });

  it("gives each of several trainers, and ends those who are no longer among them", async () => {
    await put(anna, [{ name: "two", assign: among("all", [anna, ben]) }]);
    const [one = ""] = await signUp(3);
    await put(anna, [{ name: "other two", assign: among("all", [ben, cleo]) }]);
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 3 });
    assertEquals(await countClients(sql, [anna, ben, cleo]), [0, 3, 3]);
    await put(anna, [{ name: "one", assign: among("all", [ben]) }]);
    assertObjectMatch(await reassign(), { status: "succeeded", skippedBecause: { alreadyAssigned: 3 } });
    assertEquals(await countClients(sql, [anna, ben, cleo]), [0, 3, 0]);
    assertEquals((await historyOf(one)).toSorted(), [
      "anna ended by ops: reassign",
      "ben active",
      "cleo ended by ops: reassign",
    ]);
  });

  it("leaves what a person assigned, which counts where other trainers are respected", async () => {
    const [both = "", machine = ""] = await signUp(2);
    await assignClientToTrainer(sql, both, { trainerId: cleo, actor: "maria" });
    await put(ben, [], true);
    assertObjectMatch(await reassign(), {
      status: "succeeded",
      successful: 1,
      skippedBecause: { alreadyAssigned: 1 },
    });
    assertEquals(await historyOf(both), ["anna active", "cleo active"]);
    assertEquals(await historyOf(machine), ["anna ended by ops: reassign", "ben active"]);

    await put(ben);
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 1 });
    assertEquals(await historyOf(both), ["anna ended by ops: reassign", "cleo active", "ben active"]);
  });

  it("ends what the policy no longer chooses where the member has the new trainer already", async () => {
    const [one = ""] = await signUp(1);
    await assignClientToTrainer(sql, one, { trainerId: ben, actor: "maria" });
    await put(ben);
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 0, remaining: 0 });
    assertEquals(await historyOf(one), ["anna ended by ops: reassign", "ben active"]);
  });

  it("does not make again what was ended by hand", async () => {
    const [one = ""] = await signUp(1);
    await assignClientToTrainer(sql, one, { trainerId: ben });
    await endAssignment(sql, ben, one, { actor: "maria" });
    await put(ben);
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 0, skippedBecause: { ended: 1 } });
    assertEquals(await historyOf(one), ["anna active", "ben ended by maria: manual"]);
    await put(anna, [{ name: "one of two", assign: among("spread", [ben, cleo]) }]);
    assertObjectMatch(await reassign(), { successful: 0, skippedBecause: { ended: 1 } });
  });

  it("moves back by a later version what it moved itself, and what a transfer by the policy moved", async () => {
    const [one = ""] = await signUp(1);
    await put(ben);
    await reassign();
    await put(anna);
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 1 });
    assertEquals(await historyOf(one), [
      "anna ended by ops: reassign",
      "ben ended by ops: reassign",
      "anna active",
    ]);

    await put(anna, [{ name: "all", assign: among("spread", [cleo]) }]);
    await driveToEnd(sql, await startTransfer(sql, { fromTrainerId: anna, requestedBy: "ops" }));
    await put(anna);
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 1 });
    assertEquals(await countClients(sql, [anna, ben, cleo]), [1, 0, 0]);
  });

  it("leaves with the new trainer whom a person moved there by a transfer", async () => {
    const [one = ""] = await signUp(1);
    await driveToEnd(
      sql,
      await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "maria" }),
    );
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 0, skippedBecause: { ended: 1 } });
    assertEquals(await historyOf(one), ["anna ended by maria: transfer", "ben active"]);
  });

  it("keeps with the old trainer whoever finds no room, lists them, and moves them in a retry", async () => {
    const ids = await signUp(6);
    await setCapacity(sql, anna, 10);
    await setCapacity(sql, ben, 4);
    await put(ben);
    const run = await reassign();
    assertObjectMatch(run, { status: "completed_with_errors", successful: 4, failed: 2, remaining: 0 });
    assertEquals(run.errors.map(({ code }) => code), ["TA011", "TA011"]);
    assertEquals(await countClients(sql, [anna, ben]), [2, 4]);
    // Free seats and clients add up to the capacity.
    assertEquals([await countRoom(sql, anna), await countRoom(sql, ben)], [8, 0]);
    for (const { memberId } of run.errors) assertEquals(await historyOf(memberId), ["anna active"]);

    await setCapacity(sql, ben, 6);
    const retried = { ...await driveToEnd(sql, await retryRun(sql, run.id, "ops")) };
    assertObjectMatch(retried, { reassign: true, status: "succeeded", total: 2, successful: 2 });
    assertEquals([await countRoom(sql, anna), await countRoom(sql, ben)], [10, 0]);
    assertEquals(await countClients(sql, [anna, ben]), [0, ids.length]);
  });

  it("keeps the trainers of members whom a rule excludes", async () => {
    const [one = ""] = await signUp(1, "staff");
    await put(ben, [{
      name: "staff",
      when: { field: "display_name", op: "eq", value: "staff" },
      assign: { choose: "nobody" },
    }]);
    assertObjectMatch(await reassign(), {
      status: "succeeded",
      successful: 0,
      skippedBecause: { excluded: 5 },
    });
    assertEquals(await historyOf(one), ["anna active"]);
  });

  it("counts in a dry run what the run then does, and changes nothing", async () => {
    await signUp(30);
    await put(cleo, [{ name: "two", assign: among("spread", [ben, cleo]) }]);
    await setCapacity(sql, ben, 5);
    await setCapacity(sql, cleo, 20);
    const dry = await reassign({ dryRun: true });
    assertEquals(await countClients(sql, [anna, ben, cleo]), [30, 0, 0]);
    const run = await reassign();
    assertEquals(await countClients(sql, [anna, ben, cleo]), [5, 5, 20]);
    for (const key of ["successful", "skippedBecause", "failed", "choices", "errors", "remaining"] as const) {
      assertEquals(dry[key], run[key], key);
    }
  });

  it("leaves nobody over in a dry run who keeps one trainer and would lose another", async () => {
    await put(anna, [{ name: "two", assign: among("all", [anna, ben]) }]);
    await signUp(3);
    await put(anna, [{ name: "one", assign: among("all", [ben]) }]);
    for (const dryRun of [true, false]) {
      assertObjectMatch(await reassign({ dryRun }), {
        status: "succeeded",
        skippedBecause: { alreadyAssigned: 3 },
        remaining: 0,
      });
    }
    assertEquals(await countClients(sql, [anna, ben]), [0, 3]);
  });

  it("proves that it missed nobody: whoever came behind its cursor is moved too", async () => {
    await signUp(5);
    const version = await put(ben);
    const run = await startBackfill(sql, { reassign: true, requestedBy: "ops" });
    const step = async () =>
      (await sql<[{ work: string }]>`select work from assignment.backfill_step(${run.id})`)[0].work;
    assertEquals(await step(), "batch");
    const missed = "00000000-0000-4000-8000-000000000001";
    await withoutTrigger(sql, async (transaction) => {
      await transaction`insert into public.members (id) values (${missed})`;
      await transaction`
        insert into public.trainer_client_assignments (trainer_id, client_id, source, policy_version)
        values (${anna}, ${missed}, 'trigger', ${version - 1})
      `;
    });
    assertEquals([await step(), await step()], ["swept", "finished"]);
    assertObjectMatch({ ...await getRun(sql, run.id) }, { status: "succeeded", successful: 6, remaining: 0 });
    assertEquals(await historyOf(missed), ["anna ended by ops: reassign", "ben active"]);
  });

  it("changes nothing half when its session is killed in the middle", async () => {
    const ids = await signUp(50);
    await put(ben);
    const run = await startBackfill(sql, { reassign: true, requestedBy: "ops" });
    const held = Promise.withResolvers<void>();
    const isLocked = Promise.withResolvers<void>();
    const locking = sql.begin(async (transaction) => {
      await transaction`
        select from public.trainer_client_assignments where client_id = ${ids[45] ?? ""} for update
      `;
      isLocked.resolve();
      await held.promise;
    });
    await isLocked.promise;
    const stepping = sql`select work from assignment.backfill_step(${run.id})`.catch((error: Error) =>
      error.message
    );
    let pid: number | undefined;
    await waitUntil("a step waits for the lock", async () => {
      [{ pid } = { pid: undefined }] = await sql<{ pid: number }[]>`
        select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%backfill_step%'
      `;
      return pid !== undefined;
    });
    await sql`select pg_terminate_backend(${pid ?? 0})`;
    assertEquals(typeof await stepping, "string");
    held.resolve();
    await locking;

    assertEquals(await countClients(sql, [anna, ben]), [50, 0]);
    assertObjectMatch({ ...await getRun(sql, run.id) }, { status: "running", processed: 0 });
    assertObjectMatch({ ...await driveToEnd(sql, run) }, { status: "succeeded", successful: 50 });
    assertEquals(await countClients(sql, [anna, ben]), [0, 50]);
  });
});
