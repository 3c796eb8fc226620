import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import { driveRun } from "../../../src/runs/drive.ts";
import { getRun, startBackfill, startTransfer } from "../../../src/runs/runs.ts";
import { newIds } from "../../support/assignments.ts";
import { countRowsOf, driveOptions, driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, countClients, countRoom, putRules, setCapacity } from "../../support/policies.ts";
import { addClients } from "../../support/transfers.ts";
import { waitUntil } from "../../support/wait_until.ts";

describe("a transfer while others work", () => {
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

  /** Of each client all assignments in words, the oldest first. */
  async function historiesOf(clientIds: string[]): Promise<Map<string, string>> {
    const rows = await sql<{ clientId: string; trainerId: string; state: string }[]>`
      select client_id, trainer_id, coalesce(ended_because, status) as state
      from public.trainer_client_assignments
      where client_id = any (${clientIds}::uuid[])
      order by assignment_date, id
    `;
    const histories = Map.groupBy(rows, ({ clientId }) => clientId);
    return new Map(clientIds.map((id) => [
      id,
      (histories.get(id) ?? []).map(({ trainerId, state }) => `${names.get(trainerId)} ${state}`).sort().join(
        ", ",
      ),
    ]));
  }

  it("is cut into lanes of about equal size, which several sessions drive: each client moves once", async () => {
    const clients = await addClients(sql, 24_000, anna);
    const run = await startTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      batchRows: 700,
      requestedBy: "ops",
    });
    const sessions = Array.from({ length: 4 }, () => database.newConnection());
    await Promise.all(sessions.map((session) => driveRun(session, run, driveOptions({ lanes: 1 }))));

    const lanes = await sql<{ successful: number }[]>`
      select successful from assignment.backfill_lanes where run_id = ${run.id}
    `;
    assertEquals(lanes.map(({ successful }) => successful), [12_000, 12_000]);
    const ended = await getRun(sql, run.id);
    assertEquals([ended.status, ended.successful, ended.remaining], ["succeeded", 24_000, 0]);
    const histories = await historiesOf(clients);
    assertEquals(new Set(histories.values()), new Set(["anna transfer, ben active"]));
  });

  it("gives each client one of the legal outcomes, whatever people and signups do meanwhile", async () => {
    await putRules(sql, [], { defaultTrainerId: anna });
    const clients = await addClients(sql, 2_000, anna);
    const run = await startTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      batchRows: 50,
      requestedBy: "ops",
    });
    const moved = "anna transfer, ben active";
    /** What a person does to a client, and what may become of the client. */
    const actions: { work: (id: string) => Promise<unknown>; legal: string[] }[] = [
      { work: async () => {}, legal: [moved] },
      { work: (id) => endAssignment(sql, anna, id), legal: [moved, "anna manual"] },
      { work: (id) => endAssignment(sql, ben, id), legal: [moved, "anna transfer, ben manual"] },
      { work: (id) => assignClientToTrainer(sql, id, { trainerId: ben }), legal: [moved] },
      { work: (id) => assignClientToTrainer(sql, id, { trainerId: cleo }), legal: [`${moved}, cleo active`] },
      {
        work: (id) => assignClientToTrainer(sql, id, { trainerId: anna }),
        legal: [moved, `anna active, ${moved}`],
      },
      { work: (id) => sql`delete from public.members where id = ${id}`, legal: [""] },
    ];
    const actionOf = (index: number) => actions[index % actions.length]!;
    const driving = driveToEnd(sql, run, { lanes: 2 });
    let signups: string[] = [];
    const others = (async () => {
      for (let first = 0; first < clients.length; first += 20) {
        const ids = newIds(5);
        signups = [...signups, ...ids];
        await Promise.all([
          sql`insert into public.members (id) select unnest(${ids}::uuid[])`,
          ...clients.slice(first, first + 20).map((id, offset) =>
            actionOf(first + offset).work(id).catch((error) => {
              if (!(error instanceof AppError) || error.code !== "assignment_not_found") throw error;
            })
          ),
        ]);
      }
    })();
    const [ended] = await Promise.all([driving, others]);

    assertEquals([ended.status, ended.remaining], ["succeeded", 0]);
    const histories = await historiesOf(clients);
    const seen = new Set<string>();
    for (const [index, id] of clients.entries()) {
      const history = histories.get(id) ?? "";
      assert(actionOf(index).legal.includes(history), `${index % actions.length}: ${history}`);
      seen.add(history);
    }
    assert(seen.has("anna manual") && seen.has("anna transfer, ben manual"), "some of them met the transfer");
    for (const history of (await historiesOf(signups)).values()) {
      assert(["anna active", moved].includes(history), history);
    }
  });

  it("never goes beyond the room that signups leave", async () => {
    await putRules(sql, [], { defaultTrainerId: ben });
    await setCapacity(sql, ben, 600);
    await addClients(sql, 1_000, anna);
    const run = await startTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      batchRows: 50,
      requestedBy: "ops",
    });
    const signingUp = (async () => {
      for (let i = 0; i < 30; i++) {
        await sql`insert into public.members (id) select unnest(${newIds(5)}::uuid[])`;
      }
    })();
    const [ended] = await Promise.all([driveToEnd(sql, run), signingUp]);
    assertEquals([ended.status, ended.successful + ended.failed], ["completed_with_errors", 1_000]);
    const [ofAnna, ofBen] = await countClients(sql, [anna, ben]);
    assertEquals([ofAnna, ofBen, await countRoom(sql, ben)], [ended.failed, 600, 0]);
    assertEquals(await countRowsOf(sql, ended), ended.successful);
  });

  it("and a run that reassigns, at the same time, leave nobody with the trainer who leaves", async () => {
    await putRules(sql, [], { defaultTrainerId: anna });
    const clients = newIds(3_000);
    await sql`insert into public.members (id) select unnest(${clients}::uuid[])`;
    await putRules(sql, [], { defaultTrainerId: cleo });
    const transfer = await startTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      batchRows: 100,
      requestedBy: "ops",
    });
    const reassigning = await startBackfill(sql, { reassign: true, batchRows: 100, requestedBy: "ops" });
    const [one, other] = await Promise.all([driveToEnd(sql, transfer), driveToEnd(sql, reassigning)]);
    assertEquals([one.status, other.status], ["succeeded", "succeeded"]);
    for (const history of (await historiesOf(clients)).values()) {
      // Whom the transfer took first has a trainer by a person's choice, and the default one as everybody has.
      assert(
        ["anna reassign, cleo active", "anna transfer, ben active, cleo active"].includes(history),
        history,
      );
    }
  });

  /** Holds a client's assignment while `work` runs. */
  async function whileHeld<T>(clientId: string, work: () => Promise<T>): Promise<T> {
    const isHeld = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holding = sql.begin(async (transaction) => {
      await transaction`select from public.trainer_client_assignments where client_id = ${clientId} for update`;
      isHeld.resolve();
      await release.promise;
    });
    await isHeld.promise;
    return await work().finally(async () => {
      release.resolve();
      await holding;
    });
  }

  it("changes nothing half when its session is killed, or its statement times out", async () => {
    const clients = await addClients(sql, 40, anna);
    const run = await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "ops" });
    const step = `select work from assignment.backfill_step('${run.id}')`;
    const session = database.newConnection();

    await whileHeld(clients[20] ?? "", async () => {
      await session`set statement_timeout = 300`;
      await assertRejects(() => session.unsafe(step), Error, "statement timeout");
    });
    await whileHeld(clients[20] ?? "", async () => {
      await session`set statement_timeout = 0`;
      const [{ pid } = { pid: 0 }] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`;
      const killed = assertRejects(() => session.unsafe(step));
      await waitUntil("the step waits", async () => {
        const [row] = await sql`select wait_event_type from pg_stat_activity where pid = ${pid}`;
        return row?.waitEventType === "Lock";
      });
      await sql`select pg_terminate_backend(${pid})`;
      await killed;
    });
    const left = await getRun(sql, run.id);
    assertEquals([left.status, left.processed], ["running", 0]);
    assertEquals(await countClients(sql, [anna, ben]), [40, 0]);

    const ended = await driveToEnd(sql, run);
    assertEquals([ended.status, ended.successful], ["succeeded", 40]);
    assertEquals(new Set((await historiesOf(clients)).values()), new Set(["anna transfer, ben active"]));
  });

  it("moves clients who came behind its cursor with an older id, and none who came after its start", async () => {
    await addClients(sql, 10, anna);
    const run = await startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "ops" });
    const step = async () =>
      (await sql<[{ work: string }]>`select work from assignment.backfill_step(${run.id})`)[0].work;
    assertEquals(await step(), "batch");
    const [missed = "", later = ""] = await addClients(sql, 2, anna);
    await sql`
      update public.trainer_client_assignments set id = '00000000-0000-7000-8000-000000000001' where client_id = ${missed}
    `;
    assertEquals([await step(), await step()], ["swept", "finished"]);
    const histories = await historiesOf([missed, later]);
    assertEquals([histories.get(missed), histories.get(later)], ["anna transfer, ben active", "anna active"]);
    const ended = await getRun(sql, run.id);
    assertEquals([ended.status, ended.total, ended.successful], ["succeeded", 11, 11]);
  });
});
