import { assertEquals, assertLessOrEqual } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { startBackfill } from "../../../src/runs/runs.ts";
import { migrateUp } from "../../../src/database/migrate.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { countAssigned, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";

describe("a backfill of an application's members table", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
  });
  afterEach(() => database.drop());

  it("assigns everybody with an id, although others have none", async () => {
    const { sql } = database;
    await sql`create table public.members (number bigserial primary key, id uuid unique)`;
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 100)`;
    await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID}), (null), (null)`;
    await migrateUp(database.url);
    const run = await runBackfill(sql);
    assertEquals([run.status, run.processed, run.successful, run.remaining], ["succeeded", 101, 100, 0]);
    assertEquals(await countAssigned(sql), 100);
  });

  it("reads no further than its batch, though the statistics are from before most members came", async () => {
    const { sql } = database;
    await sql`create table public.members (id uuid primary key, biography text) with (autovacuum_enabled = off)`;
    await migrateUp(database.url);
    await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    await addMembers(3000, "");
    await sql`analyze public.members`;
    await addMembers(15_000, "d4");
    const run = await startBackfill(sql, { requestedBy: "test" });
    await sql`update assignment.backfill_lanes set next_id = 'd4000000-0000-0000-0000-000000000000'`;

    const read = await sql.begin(async (transaction) => {
      await transaction`
        select assignment.next_members(r, l, 5000)
        from assignment.backfill_lanes l
        join assignment.backfill_runs r on r.id = l.run_id
        where r.id = ${run.id}
      `;
      const [index] = await transaction<[{ entries: number }]>`
        select pg_stat_get_xact_tuples_returned('public.members_pkey'::regclass) as entries
      `;
      return index.entries;
    });
    assertLessOrEqual(read, 5001 + 10); // the planner looks at the ends of the index
  });

  it("leaves an assignment with its member when the application changes the member's id", async () => {
    const { sql } = database;
    await sql`create table public.members (id uuid primary key)`;
    await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID}), (gen_random_uuid())`;
    await migrateUp(database.url);
    await runBackfill(sql);
    await sql`update public.members set id = gen_random_uuid() where id <> ${DEFAULT_TRAINER_ID}`;
    const run = await runBackfill(sql);
    assertEquals([run.successful, run.skippedBecause.alreadyAssigned], [0, 1]);
  });

  async function addMembers(count: number, prefix: string): Promise<void> {
    await withoutTrigger(database.sql, (transaction) =>
      transaction`
        insert into public.members (id, biography)
        select (${prefix} || substr(gen_random_uuid()::text, ${prefix.length + 1}))::uuid, repeat('x', 100)
        from generate_series(1, ${count}::integer)
      `);
  }
});
