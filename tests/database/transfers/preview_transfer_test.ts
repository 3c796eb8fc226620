import { assertEquals, assertObjectMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import { startTransfer } from "../../../src/runs/runs.ts";
import { previewTransfer } from "../../../src/runs/transfer_preview.ts";
import { newId, newIds } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, among, countClients, putRules, setCapacity } from "../../support/policies.ts";

describe("the preview of a transfer", () => {
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

  it("says who would get whom, as the transfer then does, and moves nobody", async () => {
    await putRules(sql, [{ name: "both", assign: among("spread", [anna, ben, cleo]) }]);
    await setCapacity(sql, ben, 3);
    const ids = await addClients(20);
    const preview = await previewTransfer(sql, { fromTrainerId: anna });
    assertObjectMatch({ ...preview }, {
      clients: 20,
      lookedAt: 20,
      selected: 20,
      moved: 20,
      isSample: false,
    });
    assertEquals(preview?.listed.map(({ memberId }) => memberId).toSorted(), ids);
    assertEquals(await countClients(sql, [anna]), [20]);

    await driveToEnd(sql, await startTransfer(sql, { fromTrainerId: anna, requestedBy: "ops" }));
    const shares = new Map(preview?.shares.map(({ trainerId, members }) => [trainerId, members]));
    assertEquals(await countClients(sql, [ben, cleo]), [shares.get(ben), shares.get(cleo)]);
    for (const { memberId, trainerIds } of preview?.listed ?? []) {
      const [row] = await sql<{ trainerId: string }[]>`
        select trainer_id from public.trainer_client_assignments
        where client_id = ${memberId} and status = 'active'
      `;
      assertEquals(trainerIds, [row?.trainerId ?? ""]);
    }
  });

  it("says who would stay, and why", async () => {
    const [one = "", two = ""] = await addClients(4);
    await assignClientToTrainer(sql, ben, { trainerId: anna });
    await assignClientToTrainer(sql, one, { trainerId: ben });
    await endAssignment(sql, ben, one);
    await assignClientToTrainer(sql, two, { trainerId: ben });
    await setCapacity(sql, ben, 2);
    const preview = await previewTransfer(sql, { fromTrainerId: anna, trainerId: ben });
    assertEquals(preview?.moved, 2); // one gets the only place, one has the new trainer already
    assertEquals(
      preview?.shares.map(({ outcome, members }) => [outcome, members]).toSorted(),
      [["already_assigned", 1], ["assign", 1], ["ended", 1], ["is_trainer", 1], ["no_room", 1]],
    );
    assertEquals(preview?.listed.filter(({ moves }) => !moves).length, 3);
  });

  it("looks only at the clients who are picked, or who match", async () => {
    const [one = "", two = ""] = await addClients(3);
    await sql`update public.members set display_name = 'German' where id = ${one}`;
    const picked = await previewTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      memberIds: [one, two, newId()],
    });
    assertObjectMatch({ ...picked }, { clients: 3, lookedAt: 3, selected: 2, moved: 2 });
    const matching = await previewTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      condition: { field: "display_name", op: "eq", value: "German" },
    });
    assertEquals([matching?.selected, matching?.listed.map(({ memberId }) => memberId)], [1, [one]]);
  });

  it("refuses what a transfer would refuse", async () => {
    for (
      const [request, code] of [
        [{ fromTrainerId: crypto.randomUUID() }, "trainer_not_found"],
        [{ fromTrainerId: anna, trainerId: anna }, "no_successor"],
        [
          { fromTrainerId: anna, trainerId: ben, condition: { field: "no_such", op: "exists" } },
          "policy_invalid",
        ],
      ] as const
    ) {
      const error = await assertRejects(() => previewTransfer(sql, request), AppError);
      assertEquals(error.code, code);
    }
  });
});
