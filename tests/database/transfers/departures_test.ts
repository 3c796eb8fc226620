import { assertEquals, assertObjectMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { retryRun, startTransfer, type TransferRequest } from "../../../src/runs/runs.ts";
import { newIds } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, refuseAssignments, withoutTrigger } from "../../support/members.ts";
import { addTrainers, among, countClients, putRules } from "../../support/policies.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";

describe("a transfer while members leave", () => {
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

  async function addClients(count: number): Promise<string[]> {
    const ids = newIds(count).toSorted();
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    await sql`delete from public.trainer_client_assignments where client_id = any (${ids}::uuid[])`;
    for (const id of ids) await assignClientToTrainer(sql, id, { trainerId: anna });
    return ids;
  }

  async function move(request: Omit<TransferRequest, "requestedBy" | "fromTrainerId">) {
    const run = await startTransfer(sql, { ...request, fromTrainerId: anna, requestedBy: "ops" });
    return { ...await driveToEnd(sql, run) };
  }

  it("retries a selection for those who failed, also when one of them is deleted meanwhile", async () => {
    const [gone = "", left = "", ...others] = await addClients(6);
    await refuseAssignments(sql, "new.source = 'transfer'");
    const run = await move({ trainerId: ben, memberIds: [gone, left] });
    assertObjectMatch(run, { successful: 0, failed: 2 });
    await acceptAssignments(sql);
    await sql`delete from public.members where id = ${gone}`;
    const retried = { ...await driveToEnd(sql, await retryRun(sql, run.id, "ops")) };
    assertObjectMatch(retried, { status: "succeeded", total: 1, successful: 1 });
    assertEquals(await countClients(sql, [anna, ben]), [others.length, 1]);
  });

  it("finds whom it missed, also when a failed member is deleted meanwhile", async () => {
    const [failed = "", other = ""] = await addClients(2);
    const [early = ""] = newIds(1);
    await sql`insert into public.members (id) values (${early})`;
    await refuseAssignments(sql, `new.source = 'transfer' and new.client_id = '${failed}'`);
    const run = await startTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      batchRows: 1,
      requestedBy: "ops",
    });
    await sql`
      insert into public.trainer_client_assignments (id, trainer_id, client_id)
      values ('00000000-0000-0000-0000-000000000001', ${anna}, ${early})
    `;
    await sql`select assignment.backfill_step(${run.id})`;
    await sql`delete from public.members where id = ${failed}`;
    assertObjectMatch({ ...await driveToEnd(sql, run) }, { successful: 2, failed: 1, remaining: 0 });
    assertEquals(await countClients(sql, [anna, ben]), [0, 2]);
    assertEquals(other.length, 36);
  });

  it("judges each client by their own row, though the row of another is gone", async () => {
    const [gone = "", ...ids] = await addClients(7);
    const [forCleo = ""] = ids.slice(3);
    await sql`update public.members set display_name = 'hers' where id = ${forCleo}`;
    await putRules(sql, [
      {
        name: "hers",
        when: { field: "display_name", op: "eq", value: "hers" },
        assign: among("all", [cleo]),
      },
      { name: "others", assign: among("all", [ben]) },
    ]);
    await withoutTrigger(sql, (transaction) => transaction`delete from public.members where id = ${gone}`);
    await move({});
    const rows = await sql<{ clientId: string }[]>`
      select client_id from public.trainer_client_assignments where trainer_id = ${cleo} and status = 'active'
    `;
    assertEquals(rows.map(({ clientId }) => clientId), [forCleo]);
    assertEquals(await countClients(sql, [ben]), [5]);
  });

  it("says that the default trainer's assignment was ended, not that there is no room", async () => {
    const [one = ""] = await addClients(1);
    await assignClientToTrainer(sql, one, { trainerId: DEFAULT_TRAINER_ID });
    await endAssignment(sql, DEFAULT_TRAINER_ID, one);
    await putRules(sql, [{ name: "nobody else", assign: among("all", [anna]) }]);
    assertObjectMatch(await move({}), { failed: 1, errors: [{ memberId: one, code: "TA015" }] });
  });

  it("says that the policy knows nobody else, not that there is no room", async () => {
    const [one = ""] = await addClients(1);
    await putRules(sql, [{
      name: "some",
      assign: among("all", [ben]),
      when: { field: "display_name", op: "exists" },
    }], {
      defaultTrainerId: anna,
    });
    assertObjectMatch(await move({}), { failed: 1, errors: [{ memberId: one, code: "TA016" }] });
  });
});
