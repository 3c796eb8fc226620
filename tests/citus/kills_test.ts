/** Sign-ups, a backfill and a transfer while workers crash and shards move: nothing is lost, nothing is twice. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { driveRun } from "../../src/runs/drive.ts";
import type { Run } from "../../src/runs/progress.ts";
import { getRun, pauseRun, resumeRun, startBackfill, startTransfer } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveOptions } from "../support/backfills.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { crash, persist, signUp } from "./crashes.ts";
import { moveAShard } from "./shards.ts";

const MEMBERS = 6000;
const CRASHES = 6;

describe("a cluster whose workers crash while shards move", () => {
  let database: CitusDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await citusDatabase();
    ({ sql } = database);
  });
  afterAll(() => database.drop());

  async function drive(run: Run, signal: AbortSignal): Promise<void> {
    const pool = openDatabase(database.url, { max: 3, applicationName: "driver" });
    const until = Date.now() + 120_000;
    while (!signal.aborted && Date.now() < until) {
      const { status, finishedAt, pauseReason } = await persist(() => getRun(pool, run.id));
      if (finishedAt !== null) break;
      if (status === "paused") assertEquals(pauseReason, null);
      await driveRun(pool, run, driveOptions({ signal }));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await closeDatabase(pool, 1);
  }

  it("loses nothing, and does nothing twice", async () => {
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${MEMBERS}::integer)`;
    await sql`delete from public.trainer_client_assignments`;
    const stopping = new AbortController();
    const load = [1, 2].map(() => signUp(database, stopping.signal));
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 20 });
    const drivers = [1, 2].map(() => drive(run, stopping.signal));
    for (let turn = 0; turn < CRASHES; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      const worker = database.workers[turn % database.workers.length];
      if (worker !== undefined) await crash(database, worker);
      await persist(() => moveAShard(database));
      await persist(async () => {
        const { status } = await getRun(sql, run.id);
        if (status === "running") await pauseRun(sql, run.id, "test");
      });
      await persist(async () => {
        const paused = await getRun(sql, run.id);
        const rows = await sql`
          select from public.trainer_client_assignments where backfill_run_id = ${run.id}
        `;
        assertEquals(rows.length, paused.successful);
        if (paused.status === "paused") await resumeRun(sql, run.id, "test");
      });
    }
    await Promise.all(drivers);
    const ended = await persist(() => getRun(sql, run.id));
    assertEquals([ended.status, ended.remaining, ended.processed], ["succeeded", 0, ended.total]);

    const [heir = ""] = (await Promise.all([
      persist(async () =>
        (await sql<{ id: string }[]>`insert into public.members default values returning id`)[0]?.id
      ),
    ])).flatMap((id) => id ?? []);
    const transfer = await persist(() =>
      startTransfer(sql, {
        requestedBy: "test",
        fromTrainerId: DEFAULT_TRAINER_ID,
        trainerId: heir,
        batchRows: 50,
      })
    );
    const moving = drive(transfer, stopping.signal);
    for (const worker of database.workers) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await crash(database, worker);
    }
    await moving;
    stopping.abort();
    const acknowledged = (await Promise.all(load)).flat();
    assert(acknowledged.length > 0);

    const counted = await persist(async () => {
      const [row] = await sql<[Record<string, number>]>`
        select
          (
            select count(*)
            from public.members m
            left join public.trainer_client_assignments a on a.client_id = m.id and a.status = 'active'
            left join assignment.failures f on f.member_id = m.id
            where a.id is null and f.member_id is null and m.id <> ${DEFAULT_TRAINER_ID}
          ) as lost,
          (
            select count(*)
            from (
              select client_id from public.trainer_client_assignments where status = 'active'
              group by client_id having count(*) > 1
            ) as twice
          ) as twice,
          (select count(*) from public.members where id = any (${acknowledged}::uuid[])) as kept
      `;
      return row;
    });
    assertEquals(counted, { lost: 0, twice: 0, kept: acknowledged.length });
    const moved = await persist(() => getRun(sql, transfer.id));
    const rows =
      await sql`select from public.trainer_client_assignments where backfill_run_id = ${transfer.id}`;
    const former =
      await sql`select from public.trainer_client_assignments where ended_run_id = ${transfer.id}`;
    assertEquals([rows.length, former.length, moved.remaining], [moved.successful, moved.successful, 0]);
  });
});
