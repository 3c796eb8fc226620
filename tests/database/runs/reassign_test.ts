import { assertEquals, assertObjectMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import { startTransfer } from "../../../src/runs/runs.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { among, countClients } from "../../support/policies.ts";
import { type ReassignDatabase, reassignDatabase } from "./reassign_database.ts";

describe("a backfill that reassigns", () => {
  let database: ReassignDatabase;
  beforeEach(async () => {
    database = await reassignDatabase();
  });
  afterEach(() => database.drop());

  it("moves clients from the former default trainer to the new one, and a second run skips all", async () => {
    const { sql, anna, ben, put, signUp, reassign, historyOf } = database;
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
    const { sql, anna, ben, cleo, put, signUp, reassign, historyOf } = database;
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
    const { sql, anna, ben, cleo, put, signUp, reassign, historyOf } = database;
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
    const { sql, ben, cleo, put, signUp, reassign, historyOf } = database;
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
    const { sql, ben, put, signUp, reassign, historyOf } = database;
    const [one = ""] = await signUp(1);
    await assignClientToTrainer(sql, one, { trainerId: ben, actor: "maria" });
    await put(ben);
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 0, remaining: 0 });
    assertEquals(await historyOf(one), ["anna ended by ops: reassign", "ben active"]);
  });

  it("does not make again what was ended by hand", async () => {
    const { sql, anna, ben, cleo, put, signUp, reassign, historyOf } = database;
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
    const { sql, anna, ben, cleo, put, signUp, reassign, historyOf } = database;
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
    const { sql, anna, ben, signUp, reassign, historyOf } = database;
    const [one = ""] = await signUp(1);
    await driveToEnd(
      sql,
      await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "maria" }),
    );
    assertObjectMatch(await reassign(), { status: "succeeded", successful: 0, skippedBecause: { ended: 1 } });
    assertEquals(await historyOf(one), ["anna ended by maria: transfer", "ben active"]);
  });

  it("keeps the trainers of members whom a rule excludes", async () => {
    const { ben, put, signUp, reassign, historyOf } = database;
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
});
