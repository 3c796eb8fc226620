import { assert, assertEquals, assertGreater } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { driveRun } from "../../../src/runs/drive.ts";
import { getRun, startBackfill } from "../../../src/runs/runs.ts";
import { countRowsOf, driveOptions, driveToEnd, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers, withoutTrigger } from "../../support/members.ts";

describe("lanes", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("cut members with version 4 ids into about equal parts", async () => {
    await addUnseenMembers(database.sql, 40_000);
    await database.sql`analyze public.members`;
    const run = await runBackfill(database.sql);
    const sizes = await laneSizes(run.id);
    assertEquals(sizes.length, 4);
    for (const size of sizes) assert(size > 7000 && size < 13_000, `uneven: ${sizes}`);
    assertEquals(run.successful, 40_000);
  });

  it("cut members with version 7 ids into about equal parts", async () => {
    await addMembersInOrder(40_000);
    await database.sql`analyze public.members`;
    const run = await runBackfill(database.sql);
    const sizes = await laneSizes(run.id);
    for (const size of sizes) assert(size > 7000 && size < 13_000, `uneven: ${sizes}`);
    assertEquals(run.successful, 40_000);
  });

  it("cover a mixture of versions, every member once, the smallest and the largest id among them", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 30_000);
    await addMembersInOrder(30_000);
    await withoutTrigger(sql, (transaction) =>
      transaction`
        insert into public.members (id)
        values ('00000000-0000-0000-0000-000000000000'), ('ffffffff-ffff-ffff-ffff-ffffffffffff')
      `);
    await sql`analyze public.members`;
    const run = await runBackfill(sql);
    assertEquals([run.status, run.processed, run.successful], ["succeeded", 60_003, 60_002]);
    assertEquals((await laneSizes(run.id)).length, 6);
  });

  it("are a single one without statistics", async () => {
    await addUnseenMembers(database.sql, 30_000);
    const run = await runBackfill(database.sql);
    assertEquals(await laneSizes(run.id), [30_001]);
  });

  it("are shared by eight drivers: every member is processed once", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 50_000);
    await sql`analyze public.members`;
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 500 });
    const sessions = Array.from({ length: 8 }, () => database.newConnection());
    await Promise.all(sessions.map((session) => driveRun(session, run, driveOptions({ lanes: 1 }))));

    const ended = await getRun(sql, run.id);
    assertEquals([ended.status, ended.processed, ended.successful], ["succeeded", 50_001, 50_000]);
    assertEquals(await countRowsOf(sql, ended), 50_000);
  });

  it("end although members are inserted all the while", async () => {
    const { sql } = database;
    await addMembersInOrder(20_000);
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 200 });
    let isOver = false;
    let inserted = 0;
    const inserting = (async () => {
      const session = database.newConnection();
      while (!isOver) {
        await session`insert into public.members (id) select assignment.uuid_v7() from generate_series(1, 50)`;
        inserted += 50;
      }
    })();
    const ended = await driveToEnd(sql, run);
    isOver = true;
    await inserting;
    assertGreater(inserted, 0);
    assertEquals([ended.status, ended.successful], ["succeeded", 20_000]);
  });

  async function addMembersInOrder(count: number): Promise<void> {
    await withoutTrigger(
      database.sql,
      (transaction) =>
        transaction`insert into public.members (id) select assignment.uuid_v7() from generate_series(1, ${count}::integer)`,
    );
  }

  async function laneSizes(runId: string): Promise<number[]> {
    const lanes = await database.sql<{ members: number }[]>`
      select successful + already_assigned + ended + is_trainer + member_gone + failed as members
      from assignment.backfill_lanes
      where run_id = ${runId}
      order by lane
    `;
    return lanes.map((lane) => lane.members);
  }
});
