import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { type LifeEvent, listMemberLife } from "../../../src/history/member_life.ts";
import { startTransfer } from "../../../src/runs/runs.ts";
import { newId } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, setCapacity } from "../../support/policies.ts";

describe("a member's life", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string;
  let ben: string;
  let member: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [anna = "", ben = ""] = await addTrainers(sql, 2);
    await sql`delete from public.trainer_client_assignments`;
    member = newId();
    await sql`insert into public.members (id) values (${member})`;
  });
  afterEach(() => database.drop());

  const summary = (event: LifeEvent) =>
    event.kind === "failed"
      ? ["failed", event.sqlstate]
      : event.kind === "changed"
      ? [event.kind, event.line.after]
      : event.kind === "ended"
      ? [event.kind, event.assignment.endedBy, event.assignment.endedBecause]
      : [event.kind, event.assignment.assignedBy];

  async function live(): Promise<void> {
    await assignClientToTrainer(sql, member, { trainerId: anna, actor: "maria" });
    await setCapacity(sql, ben, 0);
    const transfer = { fromTrainerId: anna, trainerId: ben, requestedBy: "office" };
    await driveToEnd(sql, await startTransfer(sql, transfer));
    await setCapacity(sql, ben, 1);
    await driveToEnd(sql, await startTransfer(sql, transfer));
    await sql`
      update public.trainer_client_assignments set notes = 'changed' where client_id = ${member} and trainer_id = ${ben}
    `;
    await endAssignment(sql, ben, member, { actor: "maria" });
  }

  it("is told in order: who assigned and ended, what failed, and what was changed past the service", async () => {
    await live();
    assertEquals((await listMemberLife(sql, member, { limit: 100 })).map(summary), [
      ["ended", "maria", "manual"],
      ["changed", { ended: 0, revived: 0, otherwise: 1, assignmentIds: await idsOf(ben) }],
      ["assigned", "office"],
      ["ended", "office", "transfer"],
      ["failed", "TA011"],
      ["assigned", "maria"],
      ["assigned", "trigger"],
    ]);
  });

  it("is told in pages, which neither skip nor repeat an event", async () => {
    await live();
    const all = (await listMemberLife(sql, member, { limit: 100 })).map(({ key }) => key);
    const paged: string[] = [];
    for (let after: string | undefined; paged.length < all.length; after = paged.at(-1)) {
      const page = await listMemberLife(sql, member, { limit: 2, after });
      paged.push(...page.map(({ key }) => key));
    }
    assertEquals(paged, all);
    assertEquals(new Set(all).size, all.length);
    assertEquals(await listMemberLife(sql, member, { limit: 2, after: all.at(-1) }), []);
  });

  async function idsOf(trainerId: string): Promise<string[]> {
    const rows = await sql<{ id: string }[]>`
      select id from public.trainer_client_assignments where client_id = ${member} and trainer_id = ${trainerId}
    `;
    return rows.map(({ id }) => id);
  }
});
