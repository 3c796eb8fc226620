import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { getRun, pauseRun, startBackfill } from "../../../src/runs/runs.ts";
import { type Step, stepRun } from "../../../src/runs/steps.ts";
import { countAssigned, countRowsOf, driveToEnd, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers, withoutTrigger } from "../../support/members.ts";

describe("the proof at the end of a backfill", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("finds and assigns members that were committed behind the cursor", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 1000);
    const run = await startBackfill(sql, { requestedBy: "test", batchRows: 900 });
    await stepRun(sql, run.id);
    await withoutTrigger(sql, (transaction) =>
      transaction`
        insert into public.members (id)
        select ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid from generate_series(1, 50) as i
      `);
    const ended = await driveToEnd(sql, run);
    assertEquals([ended.status, ended.processed, ended.successful, ended.remaining], [
      "succeeded",
      1051,
      1050,
      0,
    ]);
    assertEquals(await countAssigned(sql), 1050);
    assertEquals(await countRowsOf(sql, ended), 1050);
  });

  it("reports members that a trigger keeps out without an error as failed", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 100);
    await sql.unsafe(`
      create function public.swallow() returns trigger language plpgsql as $$
      begin
        if new.client_id::text < '8' then
          return new;
        end if;
        return null;
      end;
      $$;
      create trigger swallow before insert on public.trainer_client_assignments
        for each row execute function public.swallow();
    `);
    const run = await runBackfill(sql);
    const keptOut = 100 - await countAssigned(sql);
    assertEquals([run.status, run.failed, run.remaining], ["completed_with_errors", keptOut, 0]);
    assertEquals(await countRowsOf(sql, run), run.successful);
  });

  it("does not prevent a pause of the run, however long it takes", async () => {
    const { sql } = database;
    const run = await startBackfill(sql, { requestedBy: "test" });
    await stepRun(sql, run.id);
    let proof: Promise<Step> | undefined;
    await database.newConnection().begin(async (locker) => {
      await locker`lock table public.members in access exclusive mode`;
      proof = stepRun(sql, run.id);
      while (await countWaiting() === 0);
      assertEquals((await pauseRun(sql, run.id, "test")).status, "paused");
      assertEquals(await countWaiting(), 1, "the proof is under way still");
    });
    assertEquals((await proof)?.work, "stopped");
    assertEquals((await getRun(sql, run.id)).status, "paused");
  });

  it("covers the members at the start: those inserted above them later belong to the trigger", async () => {
    const { sql } = database;
    await withoutTrigger(
      sql,
      (transaction) =>
        transaction`insert into public.members (id) select assignment.uuid_v7() from generate_series(1, 10)`,
    );
    await sql`update assignment.settings set policy_version = policy_version`;
    const run = await startBackfill(sql, { requestedBy: "test" });
    await withoutTrigger(
      sql,
      (transaction) =>
        transaction`insert into public.members (id) values ('ffffffff-ffff-4fff-bfff-ffffffffffff')`,
    );
    const ended = await driveToEnd(sql, run);
    assertEquals([ended.status, ended.successful, ended.remaining], ["succeeded", 10, 0]);
  });

  async function countWaiting(): Promise<number> {
    const [row] = await database.sql<[{ waiting: number }]>`
      select count(*) as waiting from pg_locks where not granted and relation = 'public.members'::regclass
    `;
    return row.waiting;
  }
});
