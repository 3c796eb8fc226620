import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { getRun, startBackfill } from "../../../src/runs/runs.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { newIds } from "../../support/assignments.ts";
import { addUnseenMembers } from "../../support/members.ts";
import { addTrainers, among, countClients, putRules, setCapacity } from "../../support/policies.ts";

describe("the proof of a run by the policy", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [anna = ""] = await addTrainers(sql, 1);
    await setCapacity(sql, anna, 2);
    await putRules(sql, [{ name: "anna first", assign: among("spread", [anna]) }]);
  });
  afterEach(() => database.drop());

  async function step(runId: string): Promise<string> {
    const [{ work }] = await sql<[{ work: string }]>`select work from assignment.backfill_step(${runId})`;
    return work;
  }

  it("looks at nobody twice because room came after the run had passed", async () => {
    await sql`insert into public.members (id) select unnest(${newIds(5)}::uuid[])`;
    await addUnseenMembers(sql, 10);
    await putRules(sql, [{ name: "anna still", assign: among("spread", [anna]) }]);
    const run = await startBackfill(sql, { requestedBy: "test" });
    assertEquals(await step(run.id), "batch");

    await setCapacity(sql, anna, 4);
    await sql`
      update public.trainer_client_assignments set status = 'inactive', ended_at = now()
      where backfill_run_id = ${run.id}
    `;
    assertEquals(await step(run.id), "finished");
    const { processed, status, remaining } = await getRun(sql, run.id);
    assertEquals([processed, status, remaining], [17, "succeeded", 0]);
  });

  it("finds whoever came behind its cursor, and gives them the room there is", async () => {
    const run = await startBackfill(sql, { requestedBy: "test" });
    assertEquals(await step(run.id), "batch");
    const [clients = 0] = await countClients(sql, [anna]);
    await setCapacity(sql, anna, clients + 1);
    await sql.begin(async (transaction) => {
      await transaction`set local session_replication_role = replica`;
      await transaction`
        insert into public.members (id)
        values ('00000000-0000-4000-8000-000000000001'), ('00000000-0000-4000-8000-000000000002')
      `;
    });
    assertEquals([await step(run.id), await step(run.id)], ["swept", "finished"]);
    assertEquals(await countClients(sql, [anna]), [clients + 1]);
    assertEquals((await getRun(sql, run.id)).status, "succeeded");
  });
});
