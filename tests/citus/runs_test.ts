/** Runs over shards: each step on the node that has its lane, exact whatever is cut off. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../src/database/sql.ts";
import type { Run } from "../../src/runs/progress.ts";
import { cancelRun, retryRun, startBackfill, startTransfer } from "../../src/runs/runs.ts";
import { previewRun, stepRun } from "../../src/runs/steps.ts";
import { reconcile } from "../../src/runs/schedule.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newIds } from "../support/assignments.ts";
import { countRowsOf, driveToEnd, runBackfill } from "../support/backfills.ts";
import { among, putRules } from "../support/policies.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { refuseOnShards, splitAShard } from "./shards.ts";

describe("runs over shards", () => {
  let database: CitusDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await citusDatabase();
    ({ sql } = database);
  });
  beforeEach(async () => {
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
  });
  afterAll(() => database.drop());

  /** Adds members as if they had been there before the trigger. */
  async function addUnseen(count: number): Promise<void> {
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${count}::integer)`;
    await sql`delete from public.trainer_client_assignments where backfill_run_id is null and notes is null`;
  }

  async function countClients(trainerId: string): Promise<number> {
    const rows = await sql`
      select from public.trainer_client_assignments where trainer_id = ${trainerId} and status = 'active'
    `;
    return rows.length;
  }

  /** Holds a run's counters against what it was to do and did. */
  async function assertExact(run: Run, successful: number): Promise<void> {
    assertEquals([run.status, run.successful, run.remaining], ["succeeded", successful, 0]);
    assertEquals(run.processed, run.total);
    assertEquals(await countRowsOf(sql, run), successful);
    const twice = await sql`
      select client_id from public.trainer_client_assignments where status = 'active'
      group by client_id, trainer_id having count(*) > 1
    `;
    assertEquals(twice.length, 0);
  }

  it("gives every member a trainer, and a second run finds nothing to do", async () => {
    await addUnseen(20_000);
    await assertExact(await runBackfill(sql), 20_000);
    const again = await runBackfill(sql);
    assertEquals([again.successful, again.skipped], [0, 20_001]);
    const nodes = await sql`
      select distinct p.groupid
      from pg_dist_placement p
      join pg_dist_shard s using (shardid)
      where s.logicalrelid = 'assignment.backfill_lanes'::regclass
    `;
    assertEquals(nodes.length, database.workers.length);
  });

  it("finds at its end those who came behind its cursors", async () => {
    await addUnseen(2000);
    const run = await startBackfill(sql, { requestedBy: "test" });
    for (let step = 0; step < 8; step++) await stepRun(sql, run.id);
    await sql`delete from public.trainer_client_assignments where client_id < '40000000-0000-0000-0000-000000000000'`;
    const ended = await driveToEnd(sql, run);
    assertEquals([ended.status, ended.remaining], ["succeeded", 0]);
    assert(ended.successful > 2000);
  });

  it("proves itself for those, too, whose shard was split off while it ran", async () => {
    await addUnseen(4000);
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 50 });
    for (let step = 0; step < 3; step++) await stepRun(sql, run.id);
    await splitAShard(database);
    const ended = await driveToEnd(sql, run);
    assertEquals([ended.status, ended.remaining, ended.successful], ["succeeded", 0, 4000]);
    assertEquals(await countRowsOf(sql, ended), 4000);
  });

  it("records whom it could not assign, and tries them again", async () => {
    await addUnseen(1000);
    const accept = await refuseOnShards(database, "new.client_id::text ~ '^[0-3]'");
    const run = await runBackfill(sql);
    assertEquals([run.status, run.processed], ["completed_with_errors", 1001]);
    assert(run.failed > 0);
    assertEquals(run.errors.length, 20);
    assertEquals(run.errors[0]?.code, "P0001");
    await accept();
    const again = await driveToEnd(sql, await retryRun(sql, run.id, "test"));
    assertEquals([again.status, again.successful, again.total], ["succeeded", run.failed, run.failed]);
  });

  it("says beforehand what it would do, and writes nothing", async () => {
    await addUnseen(1000);
    const run = await runBackfill(sql, { dryRun: true });
    assertEquals([run.status, run.successful, run.remaining], ["succeeded", 1000, 0]);
    assertEquals((await sql`select from public.trainer_client_assignments`).length, 0);
  });

  it("ends a dry run whose lane was done and not noted as done on the coordinator", async () => {
    await addUnseen(200);
    const run = await startBackfill(sql, { requestedBy: "test", dryRun: true });
    for (let step = 0; step < 3; step++) await previewRun(sql, run.id);
    await sql`update assignment.backfill_places set is_open = true where run_id = ${run.id}`; // as if cut off in between
    const ended = await driveToEnd(sql, run);
    assertEquals([ended.status, ended.successful, ended.processed], ["succeeded", 200, 201]);
  });

  it("follows rules, replaces what they would no longer choose, and counts by rule", async () => {
    const [first = "", second = ""] = newIds(2).toSorted();
    await sql`insert into public.members ${sql([{ id: first }, { id: second }])}`;
    await addUnseen(1000);
    const rule = { name: "all", assign: among("spread", [first]) };
    await putRules(sql, [rule]);
    const run = await runBackfill(sql);
    assertEquals([run.status, run.successful], ["succeeded", 1003]);
    assertEquals(
      run.choices.map(({ ruleName, trainerId, members }) => [ruleName, trainerId, members]).toSorted(),
      [["all", first, 1002], [null, DEFAULT_TRAINER_ID, 1]].toSorted(),
    );

    await putRules(sql, [{ ...rule, assign: among("spread", [second]) }]);
    const started = await startBackfill(sql, { requestedBy: "test", reassign: true });
    assertEquals((await driveToEnd(sql, started)).status, "succeeded");
    assertEquals([await countClients(first), await countClients(second)], [0, 1002]);
    await putRules(sql, []);
  });

  it("moves a trainer's clients: all, those selected, and back by the policy", async () => {
    const [other = ""] = newIds(1);
    await sql`insert into public.members ${sql({ id: other })}`;
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 2000)`;
    const rows = await sql<{ id: string }[]>`
      select client_id as id from public.trainer_client_assignments where client_id <> ${other} limit 100
    `;
    const transfer = (request: object) =>
      startTransfer(sql, {
        requestedBy: "test",
        fromTrainerId: DEFAULT_TRAINER_ID,
        trainerId: other,
        ...request,
      });
    const some = await driveToEnd(sql, await transfer({ memberIds: rows.map(({ id }) => id) }));
    assertEquals([some.status, some.successful], ["succeeded", 100]);
    assertEquals([await countClients(DEFAULT_TRAINER_ID), await countClients(other)], [1901, 100]);

    const preview = await driveToEnd(sql, await transfer({ dryRun: true }));
    const all = await driveToEnd(sql, await transfer({}));
    assertEquals([all.status, all.successful, all.remaining], [preview.status, preview.successful, 0]);
    assertEquals([await countClients(DEFAULT_TRAINER_ID), await countClients(other)], [1, 2000]); // nobody trains themselves

    const back = await driveToEnd(
      sql,
      await startTransfer(sql, { requestedBy: "test", fromTrainerId: other }),
    );
    assertEquals([back.status, back.successful], ["succeeded", 2000]);
  });

  it("is started by the schedule, and cancelled", async () => {
    await addUnseen(500);
    assert((await reconcile(sql, new Date())).runId !== null);
    const [run] = await sql<
      { id: string }[]
    >`select id from assignment.backfill_runs where status = 'running'`;
    assert(run !== undefined);
    await cancelRun(sql, run.id, "test");
    assertEquals((await stepRun(sql, run.id)).work, "stopped");
  });
});
