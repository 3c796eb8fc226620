import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { runBackfill } from "../../support/backfills.ts";
import { addUnseenMembers } from "../../support/members.ts";

describe("the size of the next batch", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it("grows by half at most, however fast the last batches were", async () => {
    assertEquals(await nextRows(2000, [1, 1, 1], 2), 3000);
  });

  it("aims at 250 ms by the 90th percentile of the recent batches", async () => {
    const recent = [...Array(17).fill(20), 40, 50, 50];
    assertEquals(await nextRows(5000, recent, 100), 6250); // 250 ms at 40 µs a row
    assertEquals(await nextRows(8000, Array(20).fill(50), 400), 5000);
  });

  it("shrinks at once when the last batch took five times the aim", async () => {
    assertEquals(await nextRows(10_000, [...Array(19).fill(10), 250], 2500), 1000);
  });

  it("stays between 100 and 20,000", async () => {
    assertEquals(await nextRows(150, [100_000], 60_000), 100);
    assertEquals(await nextRows(19_000, [1], 19), 20_000);
  });

  it("is fixed if the request says so", async () => {
    const { sql } = database;
    await addUnseenMembers(sql, 1000);
    await sql`create table public.batches (members integer)`;
    await sql.unsafe(`
      create function public.note_batch() returns trigger language plpgsql as $$
      begin
        insert into public.batches select count(*) from inserted;
        return null;
      end;
      $$;
      create trigger note_batch after insert on public.trainer_client_assignments
        referencing new table as inserted for each statement execute function public.note_batch();
    `);
    await runBackfill(sql, { batchRows: 137 });
    const batches = await sql<
      { members: number }[]
    >`select members from public.batches order by members desc`;
    assertEquals(batches.slice(0, 6).every((batch) => batch.members === 137 || batch.members === 136), true);
    assertEquals(batches.reduce((sum, batch) => sum + batch.members, 0), 1000);
  });

  async function nextRows(rows: number, recentRowMicroseconds: number[], lastMs: number): Promise<number> {
    const [row] = await database.sql<[{ rows: number }]>`
      select assignment.next_batch_rows(${rows}, ${recentRowMicroseconds}::float8[]::real[], ${lastMs}) as rows
    `;
    return row.rows;
  }
});
