import { assertEquals, assertObjectMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import { retryRun, startTransfer, type TransferRequest } from "../../../src/runs/runs.ts";
import { newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, among, countClients, putRules, setCapacity } from "../../support/policies.ts";
import { driveToEnd } from "../../support/backfills.ts";

describe("a transfer", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string;
  let ben: string;
  let cleo: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [anna = "", ben = "", cleo = ""] = await addTrainers(sql, 3);
    await sql`delete from public.trainer_client_assignments`;
  });
  afterEach(() => database.drop());

  async function addClients(count: number, trainerId: string, notes?: string): Promise<string[]> {
    const ids = newIds(count).toSorted();
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    await sql`delete from public.trainer_client_assignments where client_id = any (${ids}::uuid[])`;
    for (const id of ids) await assignClientToTrainer(sql, id, { trainerId, notes, actor: "maria" });
    return ids;
  }

  async function move(request: Omit<TransferRequest, "requestedBy">) {
    return { ...await driveToEnd(sql, await startTransfer(sql, { ...request, requestedBy: "ops" })) };
  }

  /** Every assignment of a member, the oldest first. */
  async function historyOf(memberId: string) {
    return await sql`
      select trainer_id, status, source, assigned_by, notes, ended_by, ended_because, ended_run_id is not null as by_run
      from public.trainer_client_assignments
      where client_id = ${memberId}
      order by id
    `;
  }

  it("moves all clients of a trainer to another, keeps their notes, and says who and why", async () => {
    const [one = ""] = await addClients(30, anna, "knee");
    const run = await move({ fromTrainerId: anna, trainerId: ben });
    assertObjectMatch(run, {
      status: "succeeded",
      total: 30,
      successful: 30,
      skipped: 0,
      failed: 0,
      remaining: 0,
    });
    assertEquals(await countClients(sql, [anna, ben]), [0, 30]);
    assertEquals([...await historyOf(one)], [
      {
        trainerId: anna,
        status: "inactive",
        source: "manual",
        assignedBy: "maria",
        notes: "knee",
        endedBy: "ops",
        endedBecause: "transfer",
        byRun: true,
      },
      {
        trainerId: ben,
        status: "active",
        source: "transfer",
        assignedBy: "ops",
        notes: "knee",
        endedBy: null,
        endedBecause: null,
        byRun: false,
      },
    ]);
  });

  it("moves nobody a second time, and back where it is asked for", async () => {
    await addClients(5, anna);
    await move({ fromTrainerId: anna, trainerId: ben });
    assertObjectMatch(await move({ fromTrainerId: anna, trainerId: ben }), { status: "succeeded", total: 0 });
    assertObjectMatch(await move({ fromTrainerId: ben, trainerId: anna }), {
      status: "succeeded",
      successful: 5,
    });
    assertEquals(await countClients(sql, [anna, ben]), [5, 0]);
  });

  it("gives the clients to whom the policy chooses, never to the one who leaves", async () => {
    await putRules(sql, [{ name: "both", assign: among("spread", [anna, ben, cleo]) }]);
    await addClients(200, anna);
    const run = await move({ fromTrainerId: anna });
    assertObjectMatch(run, { status: "succeeded", successful: 200, failed: 0, remaining: 0 });
    const [ofAnna, ofBen = 0, ofCleo = 0] = await countClients(sql, [anna, ben, cleo]);
    assertEquals(ofAnna, 0);
    assertEquals(ofBen + ofCleo, 200);
    assertEquals([ofBen > 60, ofCleo > 60], [true, true]);
    assertEquals(
      run.choices.map(({ rule, members }) => [rule, members]).toSorted(),
      [
        [1, ofBen],
        [1, ofCleo],
      ].toSorted(),
    );
  });

  it("leaves with the trainer whoever found no room, and moves them once there is some", async () => {
    await addClients(10, anna);
    await setCapacity(sql, ben, 6);
    const run = await move({ fromTrainerId: anna, trainerId: ben });
    assertObjectMatch(run, { status: "completed_with_errors", successful: 6, failed: 4, remaining: 0 });
    assertEquals(new Set(run.errors.map(({ code }) => code)), new Set(["TA011"]));
    assertEquals(await countClients(sql, [anna, ben]), [4, 6]);

    await setCapacity(sql, ben, 20);
    const retried = { ...await driveToEnd(sql, await retryRun(sql, run.id, "ops")) };
    assertObjectMatch(retried, { kind: "transfer", status: "succeeded", total: 4, successful: 4 });
    assertEquals(await countClients(sql, [anna, ben]), [0, 10]);
  });

  it("does not make again what was ended by hand: the policy's next choice, else an error", async () => {
    const [one = "", two = ""] = await addClients(2, anna);
    await assignClientToTrainer(sql, one, { trainerId: ben });
    await endAssignment(sql, ben, one);
    const named = await move({ fromTrainerId: anna, trainerId: ben });
    assertObjectMatch(named, { successful: 1, failed: 1, errors: [{ memberId: one, code: "TA015" }] });

    await putRules(sql, [{ name: "both", assign: among("spread", [ben, cleo]) }]);
    assertObjectMatch(await move({ fromTrainerId: anna }), { status: "succeeded", successful: 1 });
    assertEquals((await historyOf(one)).at(-1)?.trainerId, cleo);
    assertEquals((await historyOf(two)).at(-1)?.trainerId, ben);
  });

  it("only ends the old assignment of a client who has the new trainer already", async () => {
    const [one = ""] = await addClients(1, anna);
    await assignClientToTrainer(sql, one, { trainerId: ben });
    const run = await move({ fromTrainerId: anna, trainerId: ben });
    assertObjectMatch(run, { status: "succeeded", successful: 0, skippedBecause: { alreadyAssigned: 1 } });
    assertEquals((await historyOf(one)).map(({ status }) => status), ["inactive", "active"]);
  });

  it("says who stays behind: the new trainer among the clients, and whom a rule gives nobody", async () => {
    const [one = ""] = await addClients(1, anna);
    await assignClientToTrainer(sql, ben, { trainerId: anna });
    assertObjectMatch(await move({ fromTrainerId: anna, trainerId: ben }), {
      successful: 1,
      errors: [{ memberId: ben, code: "TA003" }],
    });
    await putRules(sql, [{ name: "nobody", assign: { choose: "nobody" } }]);
    assertObjectMatch(await move({ fromTrainerId: ben }), { errors: [{ memberId: one, code: "TA016" }] });
    assertEquals(await countClients(sql, [anna, ben]), [1, 1]);
  });

  it("moves the selected clients only, and skips ids of others", async () => {
    const ids = await addClients(6, anna);
    const [other = ""] = await addClients(1, cleo);
    const memberIds = [...ids.slice(0, 2), other];
    const run = await move({ fromTrainerId: anna, trainerId: ben, memberIds });
    assertObjectMatch(run, {
      status: "succeeded",
      total: 3,
      successful: 2,
      skippedBecause: { notSelected: 1 },
    });
    assertEquals(await countClients(sql, [anna, ben, cleo]), [4, 2, 1]);
    assertObjectMatch(await move({ fromTrainerId: anna, trainerId: ben, memberIds }), {
      status: "succeeded",
      total: 3,
      successful: 0,
      skippedBecause: { notSelected: 3 },
    });
  });

  it("moves clients who match a condition", async () => {
    const ids = await addClients(6, anna);
    await sql`update public.members set display_name = 'German' where id = any (${ids.slice(0, 2)}::uuid[])`;
    const run = await move({
      fromTrainerId: anna,
      trainerId: ben,
      condition: { field: "display_name", op: "eq", value: "German" },
      notes: "moved",
    });
    assertObjectMatch(run, {
      status: "succeeded",
      total: 6,
      successful: 2,
      skippedBecause: { notSelected: 4 },
    });
    assertEquals(await countClients(sql, [anna, ben]), [4, 2]);
    assertEquals((await historyOf(ids[0] ?? "")).at(-1)?.notes, "moved");
  });

  it("refuses what cannot be done", async () => {
    for (
      const [request, code] of [
        [{ fromTrainerId: crypto.randomUUID() }, "trainer_not_found"],
        [{ fromTrainerId: anna, trainerId: crypto.randomUUID() }, "trainer_not_found"],
        [{ fromTrainerId: anna, trainerId: anna }, "no_successor"],
        [
          { fromTrainerId: anna, trainerId: ben, condition: { field: "no_such", op: "exists" } },
          "policy_invalid",
        ],
      ] as const
    ) {
      const error = await assertRejects(
        () => startTransfer(sql, { ...request, requestedBy: "ops" }),
        AppError,
      );
      assertEquals(error.code, code);
    }
    const first = await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "ops" });
    const error = await assertRejects(
      () => startTransfer(sql, { fromTrainerId: anna, requestedBy: "ops" }),
      AppError,
    );
    assertEquals([error.code, error.details.runId], ["transfer_active", first.id]);
  });

  it("counts in a dry run what it would do, and moves nobody", async () => {
    await putRules(sql, [{ name: "both", assign: among("spread", [ben, cleo]) }]);
    await setCapacity(sql, ben, 3);
    await addClients(20, anna);
    const dry = await move({ fromTrainerId: anna, dryRun: true });
    assertEquals(await countClients(sql, [anna]), [20]);
    const run = await move({ fromTrainerId: anna });
    assertEquals(dry.choices, run.choices);
    assertEquals([dry.successful, dry.failed], [20, 0]);
  });

  it("leaves nobody over in a dry run who has the new trainer already", async () => {
    const [one = ""] = await addClients(3, anna);
    await assignClientToTrainer(sql, one, { trainerId: ben });
    const dry = await move({ fromTrainerId: anna, trainerId: ben, dryRun: true });
    const run = await move({ fromTrainerId: anna, trainerId: ben });
    for (const { status, successful, skippedBecause, remaining } of [dry, run]) {
      assertEquals([status, successful, skippedBecause.alreadyAssigned, remaining], ["succeeded", 2, 1, 0]);
    }
  });

  it("lets the application delete the trainer afterwards, and keeps what was", async () => {
    const [one = ""] = await addClients(1, anna);
    await assertRejects(
      () => sql`delete from public.members where id = ${anna}`,
      Error,
      "active_has_trainer",
    );
    await move({ fromTrainerId: anna, trainerId: ben });
    await sql`delete from public.members where id = ${anna}`;
    assertEquals((await historyOf(one)).map(({ trainerId, endedBy }) => [trainerId, endedBy]), [
      [null, "ops"],
      [ben, null],
    ]);
  });
});
