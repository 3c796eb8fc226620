/** Members in a table that the application has partitioned: hash, range, and range over hash. */
import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateUp } from "../../../src/database/migrate.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { countRowsOf, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers } from "../../support/members.ts";

const partitions = {
  hash: `
    create table public.members (id uuid primary key) partition by hash (id);
    create table public.members_0 partition of public.members for values with (modulus 3, remainder 0);
    create table public.members_1 partition of public.members for values with (modulus 3, remainder 1);
    create table public.members_2 partition of public.members for values with (modulus 3, remainder 2);
  `,
  // Of unequal size: an eighth of the ids, and seven of them.
  range: `
    create table public.members (id uuid primary key) partition by range (id);
    create table public.members_0 partition of public.members
      for values from (minvalue) to ('20000000-0000-0000-0000-000000000000');
    create table public.members_1 partition of public.members
      for values from ('20000000-0000-0000-0000-000000000000') to (maxvalue);
  `,
  "range over hash": `
    create table public.members (id uuid primary key) partition by range (id);
    create table public.members_0 partition of public.members
      for values from (minvalue) to ('80000000-0000-0000-0000-000000000000') partition by hash (id);
    create table public.members_00 partition of public.members_0 for values with (modulus 2, remainder 0);
    create table public.members_01 partition of public.members_0 for values with (modulus 2, remainder 1);
    create table public.members_1 partition of public.members
      for values from ('80000000-0000-0000-0000-000000000000') to (maxvalue);
  `,
};

describe("a partitioned members table", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
  });
  afterEach(() => database.drop());

  async function adopt(table: string): Promise<void> {
    await database.sql.unsafe(table);
    await migrateUp(database.url);
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    await addUnseenMembers(database.sql, 39_999);
  }

  const laneSizes = async (runId: string) =>
    (await database.sql<{ members: number }[]>`
      select successful + already_assigned + is_trainer as members
      from assignment.backfill_lanes
      where run_id = ${runId}
      order by lane
    `).map(({ members }) => members);

  for (const [how, table] of Object.entries(partitions)) {
    it(`by ${how} is cut into about equal lanes, as autovacuum has analyzed it, and everybody assigned once`, async () => {
      const { sql } = database;
      await adopt(table);
      const leaves = await sql<{ leaf: string }[]>`
        select relid::text as leaf from pg_partition_tree('public.members') where isleaf
      `;
      for (const { leaf } of leaves) await sql.unsafe(`analyze ${leaf}`);

      const run = await runBackfill(sql);
      const sizes = await laneSizes(run.id);
      assertEquals(sizes.length, 4);
      for (const size of sizes) assert(size > 7000 && size < 13_000, `uneven: ${sizes}`);
      assertEquals([run.status, run.processed, run.successful], ["succeeded", 40_000, 39_999]);
      assertEquals(await countRowsOf(sql, run), 39_999);
    });
  }

  it("is cut by what an ANALYZE of the whole found, where its partitions are not for the functions' owner to read", async () => {
    const { sql } = database;
    await sql.unsafe(partitions.hash);
    const role = `${database.name}_role`;
    await sql.unsafe(`
      create role ${role} login password 'secret';
      grant create on database ${database.name} to ${role};
      grant create on schema public to ${role};
      grant references, trigger, select, update on public.members to ${role};
    `);
    await migrateUp(Object.assign(new URL(database.url), { username: role, password: "secret" }).href);
    await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    await addUnseenMembers(sql, 39_999);
    await sql`analyze public.members`;
    const run = await runBackfill(sql);
    assertEquals([run.status, run.successful, (await laneSizes(run.id)).length], ["succeeded", 39_999, 4]);
    await sql.unsafe(`drop owned by ${role} cascade; drop role ${role};`);
  });

  it("of more than a million is estimated by the sum of its partitions", async () => {
    const { sql } = database;
    await adopt(partitions.hash);
    await sql`update pg_class set reltuples = 1000000 where oid in ('members_0'::regclass, 'members_1'::regclass)`;
    const [estimate] = await sql`select sum(members)::integer as members from assignment.member_tables()`;
    assertEquals(estimate, { members: 2_000_000 });
  });
});
