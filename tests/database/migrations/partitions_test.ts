/** `migrate --partitions N`: the assignments in hash partitions of the client. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import {
  findStructureProblem,
  migrateDown,
  migrateRepair,
  migrateUp,
} from "../../../src/database/migrate.ts";
import { partitionAssignments } from "../../../src/database/partitions.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { OperatorError } from "../../../src/errors.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { countRowsOf, runBackfill } from "../../support/backfills.ts";
import { catalogOf } from "../../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers } from "../../support/members.ts";

describe("assignments in hash partitions", () => {
  let database: TestDatabase;
  let sql: Sql;
  let url: string;
  let template: TestDatabase;
  let empty: string[];
  beforeAll(async () => {
    template = await testDatabase({ migrated: false });
    empty = await catalogOf(template.sql);
    await migrateUp(template.url);
    await template.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
  });
  beforeEach(async () => {
    database = await testDatabase({ template });
    ({ sql, url } = database);
  });
  afterEach(() => database.drop());
  afterAll(() => template.drop());

  const partition = (partitions: number) => partitionAssignments(url, partitions);
  const addMembers = (count: number) =>
    sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${count}::integer)`;
  const rowsOf = (table = "public.trainer_client_assignments") =>
    sql`select * from ${sql(table)} order by id`.then((rows) => [...rows]);

  it("are complete for /readyz, take every signup and backfill, and leave with migrate down --all", async () => {
    assertEquals(await partition(8), 0);
    assertEquals(await partition(8), null);
    assertEquals(await findStructureProblem(sql), null);
    assertEquals((await checkHealth(sql)).status, "ready");

    await addMembers(100);
    await addUnseenMembers(sql, 5000);
    const run = await runBackfill(sql);
    assertEquals([run.status, run.successful, await countRowsOf(sql, run)], ["succeeded", 5000, 5000]);
    const filled = await sql`select distinct tableoid from public.trainer_client_assignments`;
    assertEquals(filled.length, 8);

    await migrateDown(url, { all: true });
    await sql`drop table public.members`; // kept, for it has rows
    assertEquals(await catalogOf(sql), empty);
  });

  it("revert one migration at a time, and can be made whole again", async () => {
    await partition(4);
    await migrateDown(url, { all: false });
    await migrateDown(url, { all: false });
    await migrateUp(url);
    assertEquals(await findStructureProblem(sql), null);
  });

  it("keep each row, and every index, right, policy and trigger of the application, there and back", async () => {
    const role = `${database.name}_role`;
    await addMembers(500);
    await sql.unsafe(`
      create role ${role};
      create index by_notes on public.trainer_client_assignments (notes) where notes is not null;
      create function public.greet() returns trigger language plpgsql as $$ begin return new; end $$;
      create trigger greet after insert on public.trainer_client_assignments for each row execute function public.greet();
      alter table public.trainer_client_assignments disable trigger greet;
      alter table public.trainer_client_assignments add column tenant text not null default 'north' check (tenant <> '');
      grant select, insert (notes) on public.trainer_client_assignments to ${role} with grant option;
      alter table public.trainer_client_assignments enable row level security;
      create policy own_notes on public.trainer_client_assignments as restrictive for update to ${role}
        using (notes <> '') with check (notes is not null);
      alter table public.trainer_client_assignments set (fillfactor = 90);
      alter default privileges in schema public grant all on tables to ${role};
    `);
    const rows = await rowsOf();
    const before = await catalogOf(sql);

    assertEquals(await partition(8), 500);
    assertEquals(await rowsOf(), rows);
    assertEquals(await findStructureProblem(sql), null);
    assertEquals((await checkHealth(sql)).checks.access.status, "ok");
    const [open] = await sql`
      select count(*) as partitions
      from pg_partition_tree('public.trainer_client_assignments')
      where level > 0 and has_table_privilege(${role}, relid, 'select')
    `;
    assertEquals(open?.partitions, 0);

    assertEquals(await partition(3), 500);
    assertEquals(await partition(1), 500);
    assertEquals(await rowsOf(), rows);
    assertEquals(await catalogOf(sql), before);
    await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
  });

  it("are refused, and nothing changes, where something hangs on the table itself", async () => {
    await sql.unsafe(`
      create table public.sessions (assignment_id uuid references public.trainer_client_assignments);
      create view public.pairs as select client_id, trainer_id from public.trainer_client_assignments;
      create publication changes for table public.trainer_client_assignments;
    `);
    const before = await catalogOf(sql);
    const { message } = await assertRejects(() => partition(8), OperatorError);
    assertMatch(
      message,
      /foreign key sessions_assignment_id_fkey of public.sessions, publication changes, view public.pairs: Drop it/,
    );
    assertEquals(await catalogOf(sql), before);
    await sql`drop publication changes`;
  });

  it("have one active row a pair, whoever comes at the same time", async () => {
    await partition(8);
    await sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    const members = (await sql<{ id: string }[]>`
      insert into public.members (id) select gen_random_uuid() from generate_series(1, 50) returning id
    `).map(({ id }) => id);
    await Promise.all(
      Array.from({ length: 5 }, () => sql`select assignment.assign_or_record(${members}, 'trigger')`),
    );
    assertEquals((await rowsOf()).length, 50);
    const again = sql`
      insert into public.trainer_client_assignments (trainer_id, client_id) values (${DEFAULT_TRAINER_ID}, ${
      members[0] ?? ""
    })
    `;
    const error = await again.catch((reason) => reason);
    assertEquals(error.code, "23505");
    assertMatch(error.constraint_name, /^trainer_client_assignments_active_key_\d$/);
  });

  it("follow a member whose id changes into another partition, and go with one who is deleted", async () => {
    await partition(64);
    await addMembers(1);
    for (let change = 0; change < 10; change++) {
      await sql`update public.members set id = gen_random_uuid() where id <> ${DEFAULT_TRAINER_ID}`;
    }
    const rows =
      await sql`select from public.trainer_client_assignments a join public.members m on m.id = a.client_id`;
    assertEquals(rows.length, 1);
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
    assertEquals(await rowsOf(), []);
  });

  it("record signups that have no partition to go to; migrate repair creates what is missing of them", async () => {
    await partition(4);
    const whole = await catalogOf(sql);
    await sql.unsafe(`
      drop table public.trainer_client_assignments_2;
      drop index public.trainer_client_assignments_client_id_status_idx;
      drop trigger trainer_client_assignments_keep_seats_after_delete on public.trainer_client_assignments;
      alter table public.trainer_client_assignments drop constraint trainer_client_assignments_trainer_id_fkey;
      alter table public.trainer_client_assignments drop constraint trainer_client_assignments_pkey;
    `);
    await addMembers(100);
    const [{ failed } = { failed: 0 }] = await sql<{ failed: number }[]>`
      select count(*) as failed from assignment.failures
    `;
    assertEquals(failed + (await rowsOf()).length, 100);
    assertMatch(
      await findStructureProblem(sql) ?? "",
      /partitioning of public.trainer_client_assignments is different \(HASH \(client_id\) WITHOUT remainder 2 of 4\)/,
    );

    const { unrepaired, unassigned } = await migrateRepair(url);
    assertEquals([unrepaired, unassigned], [[], failed]);
    assertEquals(await catalogOf(sql), whole);
    await sql`update assignment.failures set next_attempt_at = now()`;
    await sql`select assignment.retry_failures(500)`;
    assertEquals((await rowsOf()).length, 100);
  });
});
