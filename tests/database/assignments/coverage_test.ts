import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { countCoverage, estimateCoverage } from "../../../src/operation/coverage.ts";
import { setDefaultTrainer } from "../../../src/policy/policies.ts";
import { assignClientToTrainer, DEFAULT_TRAINER_ID, endAssignment } from "../../../src/trainer_assignment.ts";
import { newId, newIds } from "../../support/assignments.ts";
import { runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers } from "../../support/members.ts";

describe("who has which trainer", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterEach(() => database.drop());

  async function signUp(count: number): Promise<string[]> {
    const ids = newIds(count);
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    return ids;
  }

  /** The same counts, member by member, from everything there is. */
  async function countByHand(trainerId: string | null) {
    const members = (await sql<{ id: string }[]>`select id from public.members`).map(({ id }) => id);
    const rows = await sql<{ clientId: string; trainerId: string; status: string }[]>`
      select client_id, trainer_id, status from public.trainer_client_assignments
    `;
    const has = (id: string, status: string, to?: string | null) =>
      rows.some((row) =>
        row.clientId === id && row.status === status && (to === undefined || row.trainerId === to)
      );
    const others = members.filter((id) => id !== trainerId);
    const unassigned = others.filter((id) => !has(id, "active"));
    return {
      trainerId,
      isTrainerMember: trainerId !== null && members.includes(trainerId),
      members: members.length,
      assigned: others.filter((id) => has(id, "active", trainerId)).length,
      assignedElsewhere: others.filter((id) => has(id, "active") && !has(id, "active", trainerId)).length,
      unassigned: unassigned.length,
      ended: unassigned.filter((id) => has(id, "inactive", trainerId)).length,
      toAssign:
        others.filter((id) => !has(id, "active", trainerId) && !has(id, "inactive", trainerId)).length,
      isEstimate: false,
    };
  }

  async function assertCounted(trainerId: string | null) {
    const { countedAt: _, ...counted } = await countCoverage(sql, trainerId);
    assertEquals(counted, await countByHand(trainerId));
    const { members, isTrainerMember, assigned, assignedElsewhere, unassigned } = counted;
    assertEquals(members, assigned + (assignedElsewhere ?? 0) + (unassigned ?? 0) + Number(isTrainerMember));
    return counted;
  }

  it("is right after a change of the default trainer: all members have another one", async () => {
    const [next = ""] = await signUp(10);
    await setDefaultTrainer(sql, next, "test");
    const { assigned, assignedElsewhere, unassigned, toAssign } = await assertCounted(next);
    // The former default trainer has none; the new one, who has, is not counted.
    assertEquals({ assigned, assignedElsewhere, unassigned, toAssign }, {
      assigned: 0,
      assignedElsewhere: 9,
      unassigned: 1,
      toAssign: 10,
    });
  });

  it("counts a member with several trainers once", async () => {
    const [client = "", second = "", third = ""] = await signUp(3);
    await assignClientToTrainer(sql, client, { trainerId: second });
    await assignClientToTrainer(sql, client, { trainerId: third });
    for (const trainerId of [DEFAULT_TRAINER_ID, second, third]) await assertCounted(trainerId);
    await endAssignment(sql, DEFAULT_TRAINER_ID, client);
    assertEquals((await assertCounted(DEFAULT_TRAINER_ID)).assignedElsewhere, 1);
  });

  it("counts an ended assignment as none, and says how many no run assigns again", async () => {
    const [ended = "", replaced = "", other = "", again = ""] = await signUp(5);
    for (const id of [ended, replaced, again]) await endAssignment(sql, DEFAULT_TRAINER_ID, id);
    await assignClientToTrainer(sql, replaced, { trainerId: other });
    await assignClientToTrainer(sql, again);
    const { unassigned, ended: endedCount, assignedElsewhere, toAssign } = await assertCounted(
      DEFAULT_TRAINER_ID,
    );
    assertEquals([unassigned, endedCount, assignedElsewhere, toAssign], [1, 1, 1, 0]);
  });

  it("says how many a run will assign", async () => {
    const [next = "", ended = ""] = await signUp(20);
    await addUnseenMembers(sql, 30);
    await assignClientToTrainer(sql, ended, { trainerId: next });
    await endAssignment(sql, next, ended);
    await setDefaultTrainer(sql, next, "test");
    const { toAssign } = await assertCounted(next);
    assertEquals((await runBackfill(sql)).successful, toAssign);
    assertEquals((await assertCounted(next)).toAssign, 0);
  });

  it("is known without a default trainer, and with one who is not a member", async () => {
    await signUp(4);
    await addUnseenMembers(sql, 2);
    const { assigned, assignedElsewhere, unassigned } = await assertCounted(null);
    assertEquals([assigned, assignedElsewhere, unassigned], [0, 4, 3]);
    await assertCounted(newId());
  });

  it("has null for what an estimate cannot say", async () => {
    await signUp(900);
    await addUnseenMembers(sql, 100);
    await sql`analyze public.members, public.trainer_client_assignments`;
    const estimate = await estimateCoverage(sql, DEFAULT_TRAINER_ID);
    assert(Math.abs(estimate.members - 1001) < 50 && Math.abs(estimate.assigned - 900) < 50);
    assertEquals([estimate.assignedElsewhere, estimate.unassigned, estimate.isEstimate], [null, null, true]);
  });
});
