/**
 * What db/citus does on a shard, on PostgreSQL alone: tables that are named as shards, with a stand-in for Citus's catalogue.
 * tests/citus has the rest, on a cluster.
 */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../src/database/sql.ts";
import { splitStatements } from "../../src/database/statements.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newIds } from "../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { among, putRules } from "../support/policies.ts";

const SHARD = 101;
/** Tables of a place, and those that are on every node, with the numbers of their shards. */
const SHARDS = {
  "public.members": SHARD,
  "public.trainer_client_assignments": 102,
  "assignment.failures": 103,
  "assignment.backfill_errors": 104,
  "assignment.backfill_lanes": 105,
  "assignment.backfill_samples": 106,
  "assignment.backfill_choices": 107,
  "assignment.settings": 108,
  "assignment.policies": 109,
  "assignment.policy_rules": 110,
  "assignment.trainers": 111,
  "assignment.seats": 112,
  "assignment.places": 113,
  "assignment.full_trainers": 114,
  "assignment.known_trainers": 115,
  "assignment.seat_changes": 116,
} as const;
const ON_EVERY_NODE = ["settings", "policies", "policy_rules", "trainers", "full_trainers", "known_trainers"];

describe("a shard", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await testDatabase();
    sql = database.newConnection();
    await makeCatalogue();
    for (
      const file of [
        "020_make_shard_functions",
        "022_ask_shards",
        "030_signup",
        "032_room",
        "033_seats",
        "036_known_trainers",
        "037_keep_seats",
        "040_lay_out_runs",
        "042_steps",
        "044_proof",
        "050_retries",
      ]
    ) {
      const text = await Deno.readTextFile(new URL(`../../db/citus/${file}.sql`, import.meta.url));
      for (const statement of splitStatements(text)) await sql.unsafe(statement);
    }
    await sql.unsafe(`
      create trigger members_assign_trainer_after_insert after insert on public.members_${SHARD}
        referencing new table as new_members for each statement execute function assignment.tg_members__assign_trainer()
    `);
  });
  afterAll(() => database.drop());

  /** Shards with what they have of their tables, and Citus's tables as far as they are asked. */
  async function makeCatalogue(): Promise<void> {
    await sql.unsafe(`
      set allow_system_table_mods = on;
      set client_min_messages = error;
      create table pg_catalog.pg_dist_partition (logicalrelid regclass, partmethod "char", colocationid integer);
      create table pg_catalog.pg_dist_shard (
        logicalrelid regclass, shardid bigint, shardminvalue text, shardmaxvalue text
      );
      create table pg_catalog.pg_dist_object (classid oid, objid oid);
      set allow_system_table_mods = off;
      alter table assignment.backfill_lanes add column place uuid;
      alter table assignment.backfill_samples add column place uuid;
      alter table assignment.backfill_choices add column place uuid;
      alter table assignment.seats add column place uuid;
      create table assignment.places (place uuid primary key);
      create table assignment.full_trainers (trainer_id uuid primary key);
      create table assignment.seat_changes (
        place uuid, id uuid default assignment.uuid_v7(), trainer_id uuid, is_given_back boolean
      );
      create table assignment.known_trainers (trainer_id uuid primary key, is_member boolean);
      create table assignment.runs_by_policy (run_id uuid primary key);
    `);
    for (const [table, shard] of Object.entries(SHARDS)) {
      const isOnEveryNode = ON_EVERY_NODE.some((name) => table === `assignment.${name}`);
      await sql.unsafe(`
        create table ${table}_${shard} (like ${table} including all);
        insert into pg_dist_partition values ('${table}', '${isOnEveryNode ? "n" : "h"}', ${
        isOnEveryNode ? 2 : 1
      });
        insert into pg_dist_shard values ('${table}', ${shard}, ${
        isOnEveryNode ? "null, null" : "'-2147483648', '2147483647'"
      });
      `);
      if (isOnEveryNode) await sql.unsafe(`insert into ${table}_${shard} select * from ${table}`);
    }
    await sql.unsafe(`
      create unique index on assignment.backfill_samples_106 (run_id, at, lane, place);
      create unique index on assignment.backfill_choices_107 (run_id, lane, rule, trainer_id, place);
    `);
  }

  const insert = async (count: number) => {
    const ids = newIds(count);
    await sql`insert into public.members_101 (id) select unnest(${ids}::uuid[])`;
    return ids;
  };
  const assignments = (
    table: "public.trainer_client_assignments_102" | "public.trainer_client_assignments",
  ) =>
    sql<{ clientId: string; trainerId: string; source: string }[]>`
      select client_id, trainer_id, source from ${sql(table)} order by client_id
    `;

  it("assigns who is inserted into it, in its own tables, by functions that it makes when it first needs them", async () => {
    const made = () => sql`select from pg_proc where pronamespace = 'assignment_shards'::regnamespace`;
    assertEquals((await made()).length, 0);
    const ids = [...await insert(1), ...await insert(20)];
    assert((await made()).length > 30);
    const rows = await assignments("public.trainer_client_assignments_102");
    assertEquals(rows.map(({ clientId }) => clientId), ids.toSorted());
    assertEquals(new Set(rows.map(({ trainerId, source }) => `${trainerId} ${source}`)).size, 1);
    assertEquals((await assignments("public.trainer_client_assignments")).length, 0);

    await sql`drop function assignment_shards.assign_new_101(uuid[])`;
    await insert(1);
    assertEquals((await assignments("public.trainer_client_assignments_102")).length, 22);
  });

  it("records on itself what fails, and retries it there", async () => {
    await sql`alter table public.trainer_client_assignments_102 add constraint no_more check (false) not valid`;
    const [id = ""] = await insert(1);
    const failures = () =>
      sql<{ memberId: string; sqlstate: string }[]>`select * from assignment.failures_103`;
    assertEquals((await failures()).map(({ memberId, sqlstate }) => [memberId, sqlstate]), [[id, "23514"]]);
    await sql`alter table public.trainer_client_assignments_102 drop constraint no_more`;
    await sql`update assignment.failures_103 set next_attempt_at = now()`;
    const [row] = await sql<[{ done: { retried: number; succeeded: number } }]>`
      select assignment.on_shard('assignment.failures_103'::regclass, 'retry_shard', '500') as done
    `;
    assertEquals([row.done.retried, row.done.succeeded], [1, 1]);
    assertEquals((await failures()).length, 0);
  });

  it("steps its lane of a run to the end, with rows and counters in one transaction", async () => {
    await sql`delete from public.trainer_client_assignments_102`;
    const [run] = await sql<[{ run: string; id: string }]>`
      with started as (
        insert into assignment.backfill_runs (trainer_id, requested_by, status_changed_by, batch_rows)
        values (${DEFAULT_TRAINER_ID}, 'test', 'test', 10)
        returning *
      )
      select to_jsonb(s)::text as run, s.id from started s
    `;
    const place = crypto.randomUUID();
    await sql`
      insert into assignment.backfill_lanes_105 (run_id, lane, place, next_id, upper_id, includes_upper)
      values (${run.id}, 1, ${place}, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', true)
    `;
    const step = async () => {
      const [row] = await sql<[{ done: { members: number; isDone: boolean } }]>`
        select assignment.on_shard(l.tableoid, 'step_shard', ${run.run}::text::jsonb) as done
        from assignment.backfill_lanes_105 l
      `;
      return row.done;
    };
    assertEquals((await step()).members, 10);
    await sql.begin(async (transaction) => {
      await transaction`
        select assignment.on_shard('assignment.backfill_lanes_105'::regclass, 'step_shard', ${run.run}::text::jsonb)
      `;
      throw new Error("cut off");
    }).catch(() => {});
    while (!(await step()).isDone);
    const [lane] = await sql`select successful, done from assignment.backfill_lanes_105`;
    const members = (await sql`select from public.members_101`).length;
    assertEquals({ ...lane }, { successful: members, done: true });
    assertEquals((await assignments("public.trainer_client_assignments_102")).length, members);
    const [row] = await sql<[{ missed: number }]>`
      select assignment.on_shard(
        'assignment.backfill_lanes_105'::regclass, 'sweep_shard',
        jsonb_build_object('run', ${run.run}::text::jsonb, 'assigns', false)
      ) as missed
    `;
    assertEquals(row.missed, 0);
  });

  it("takes seats of its own, and asks for those of other places and for who is a member there", async () => {
    const [trainer = "", stranger = ""] = newIds(2);
    const putRule = async (trainerId: string) => {
      await putRules(sql, [{ name: "all", assign: among("spread", [trainerId]) }]);
      for (
        const [table, shard] of Object.entries(SHARDS).filter(([, number]) =>
          [108, 109, 110].includes(number)
        )
      ) {
        await sql.unsafe(
          `delete from ${table}_${shard}; insert into ${table}_${shard} select * from ${table}`,
        );
      }
    };
    await sql`insert into assignment.places_113 (place) values (gen_random_uuid())`;
    await sql`insert into assignment.trainers_111 (trainer_id, capacity) values (${trainer}, 2)`;
    await sql`insert into assignment.seats_112 (place, trainer_id) select place, ${trainer} from assignment.places_113`;
    await sql`insert into public.members ${sql([{ id: trainer }, { id: stranger }])}`; // of another shard
    const failures = async () => {
      const rows = await sql<{ id: string; sqlstate: string; message: string }[]>`
        select member_id as id, sqlstate, message from assignment.failures_103 order by first_failed_at
      `;
      return rows.map(({ id, sqlstate, message }) => [id, sqlstate, message.replace(/[^:]*: /, "")]);
    };
    const retry = async (told: object) => {
      await sql`update assignment.failures_103 set next_attempt_at = now()`;
      const [row] = await sql<[{ done: Record<string, unknown> }]>`
        select assignment.on_shard('assignment.failures_103'::regclass, 'retry_shard', '500', ${
        JSON.stringify(told)
      }::text::jsonb) as done
      `;
      return row.done;
    };

    await putRule(trainer);
    const [first = ""] = await insert(1);
    assertEquals(await failures(), [[first, "TA023", trainer]]);
    assertEquals((await retry({ members: [trainer] })).succeeded, 1);
    assertEquals((await sql`select from assignment.seats_112`).length, 0);

    await sql`insert into assignment.known_trainers_115 values (${trainer}, true)`;
    const [second = ""] = await insert(1);
    assertEquals(await failures(), [[second, "TA023", `1 of trainer ${trainer}`]]);
    assertEquals(Object.keys(await retry({})), ["lacking"]);
    assertEquals((await retry({ brought: { [trainer]: 1 }, exhausted: [] })).succeeded, 1);

    const [third = ""] = await insert(1);
    assertEquals((await retry({ brought: { [trainer]: 0 }, exhausted: [trainer] })).succeeded, 1);
    await sql`insert into assignment.full_trainers_114 (trainer_id) values (${trainer})`;
    const [fourth = ""] = await insert(1);
    await putRule(stranger);
    await sql`insert into assignment.known_trainers_115 values (${stranger}, false)`;
    const [fifth = ""] = await insert(1);
    const rows = await sql<{ trainerId: string }[]>`
      select trainer_id from public.trainer_client_assignments_102
      where client_id = any (${[first, second, third, fourth, fifth]}::uuid[])
      order by assignment_date, client_id
    `;
    assertEquals(rows.map(({ trainerId }) => trainerId), [
      trainer,
      trainer,
      DEFAULT_TRAINER_ID,
      DEFAULT_TRAINER_ID,
      DEFAULT_TRAINER_ID,
    ]);

    await sql`delete from public.trainer_client_assignments_102 where client_id = ${first}`;
    assertEquals((await sql`select from assignment.seats_112`).length, 0); // the trigger is not on this table
    await sql`
      select assignment.on_shard(
        'public.trainer_client_assignments_102'::regclass,
        'keep_seats',
        jsonb_build_object('taken', '{}'::uuid[], 'freed', array[${trainer}::uuid])
      )
    `;
    const [counted] = await sql<[{ seats: number }]>`
      select assignment.on_shard('assignment.seats_112'::regclass, 'count_seats', to_jsonb(${trainer}::text)) as seats
    `;
    assertEquals(counted.seats, 2);
  });
});
