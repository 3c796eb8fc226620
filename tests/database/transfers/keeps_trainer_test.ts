import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql, SqlOrTransaction } from "../../../src/database/sql.ts";
import { startBackfill, startTransfer } from "../../../src/runs/runs.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, among, putRules } from "../../support/policies.ts";
import { addClients } from "../../support/transfers.ts";
import { waitUntil } from "../../support/wait_until.ts";

describe("a run that replaces assignments, and meets somebody who ends them", () => {
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
  });
  afterEach(() => database.drop());

  /** A client's assignments in words. */
  async function trainersOf(clientId: string): Promise<string[]> {
    const rows = await sql<{ trainerId: string; state: string }[]>`
      select trainer_id, coalesce(ended_because, status) as state
      from public.trainer_client_assignments
      where client_id = ${clientId}
    `;
    return rows.map(({ trainerId, state }) => `${names.get(trainerId)} ${state}`).sort();
  }

  /** Does a step that has to wait for `hold`, and `meanwhile` something in the same transaction, in which it commits. */
  async function stepAgainst(
    runId: string,
    hold: (transaction: SqlOrTransaction) => Promise<unknown>,
    meanwhile: (transaction: SqlOrTransaction) => Promise<unknown> = async () => {},
  ): Promise<void> {
    const session = database.newConnection();
    const [{ pid } = { pid: 0 }] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`;
    let step: Promise<unknown> = Promise.resolve();
    await sql.begin(async (transaction) => {
      await hold(transaction);
      step = session`select assignment.backfill_step(${runId})`.execute();
      await waitUntil("the step waits", async () => {
        const [row] = await sql`select wait_event_type from pg_stat_activity where pid = ${pid}`;
        return row?.waitEventType === "Lock";
      });
      await meanwhile(transaction);
    });
    await step;
  }

  const holdAssignment = (clientId: string) => (transaction: SqlOrTransaction) =>
    transaction`select from public.trainer_client_assignments where client_id = ${clientId} for update`;

  it("takes nobody's trainer whose other one, found before, is ended while it works", async () => {
    const [one = "", two = ""] = await addClients(sql, 2, anna);
    await assignClientToTrainer(sql, one, { trainerId: ben });
    const run = await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "ops" });
    await stepAgainst(run.id, holdAssignment(two), () => endAssignment(sql, ben, one));
    assertEquals(await trainersOf(two), ["anna transfer", "ben active"]);
    assertEquals(await trainersOf(one), ["anna active", "ben manual"]);

    const ended = await driveToEnd(sql, run);
    assertEquals([ended.status, ended.successful, ended.failed], ["completed_with_errors", 1, 1]);
    assertEquals(await trainersOf(one), ["anna active", "ben manual"]);
  });

  it("waits for whoever is ending the other one", async () => {
    const [one = ""] = await addClients(sql, 1, anna);
    await assignClientToTrainer(sql, one, { trainerId: ben });
    const run = await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "ops" });
    await stepAgainst(run.id, (transaction) => endAssignment(transaction, ben, one));
    assertEquals(await trainersOf(one), ["anna active", "ben manual"]);
  });

  it("takes one of two trainers only for a new one, when a person has just taken the other", async () => {
    await putRules(sql, [{ name: "both", assign: among("all", [anna, ben]) }]);
    const [one = ""] = await addTrainers(sql, 1);
    assertEquals(await trainersOf(one), ["anna active", "ben active"]);
    await putRules(sql, [{ name: "one", assign: among("all", [cleo]) }]);
    const run = await startBackfill(sql, { reassign: true, requestedBy: "ops" });
    await stepAgainst(run.id, (transaction) => endAssignment(transaction, anna, one));
    assertEquals(await trainersOf(one), ["anna manual", "ben active"]);

    assertEquals((await driveToEnd(sql, run)).status, "succeeded");
    assertEquals(await trainersOf(one), ["anna manual", "ben reassign", "cleo active"]);
  });

  it("waits for whoever deletes a member before it ends what the member has", async () => {
    const [one = "", two = ""] = await addClients(sql, 2, anna);
    await assignClientToTrainer(sql, one, { trainerId: ben });
    const run = await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "ops" });
    await stepAgainst(
      run.id,
      (transaction) => transaction`select from public.members where id = ${one} for update`,
      (transaction) => transaction`delete from public.members where id in ${transaction([one, two])}`,
    );
    assertEquals([await trainersOf(one), await trainersOf(two)], [[], []]);
  });
});
