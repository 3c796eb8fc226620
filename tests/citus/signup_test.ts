/** Members are assigned on their own shard, however they are inserted and wherever the shard is. */
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { retryFailures } from "../../src/assignments/failures.ts";
import type { Sql } from "../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newIds } from "../support/assignments.ts";
import { among, putRules } from "../support/policies.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { refuseOnShards } from "./shards.ts";

describe("signups by rules on several nodes at once", () => {
  let database: CitusDatabase;
  beforeAll(async () => {
    database = await citusDatabase();
  });
  afterAll(() => database.drop());

  // Citus 13.2 crashes at COMMIT PREPARED where a shard has asked others in the transaction.
  it("crash no node, for no shard asks another node for the trainers", async () => {
    const { sql } = database;
    const trainers = newIds(4);
    await sql`insert into public.members ${sql(trainers.map((id) => ({ id })))}`;
    await putRules(sql, [{ name: "all", assign: among("spread", trainers) }]);
    const session = database.newConnection();
    for (let turn = 0; turn < 15; turn++) {
      await session`insert into public.members (id) select gen_random_uuid() from generate_series(1, 100)`;
    }
    const [row] = await sql<[{ clients: number }]>`
      select count(*) as clients from public.trainer_client_assignments where trainer_id = any (${trainers}::uuid[])
    `;
    assertEquals(row.clients, 1500);
  });
});

describe("signups on shards", () => {
  let database: CitusDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await citusDatabase({ leaveOut: 1 });
    ({ sql } = database);
  });
  beforeEach(async () => {
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
  });
  afterAll(() => database.drop());

  /** How many members have no assignment at all, and how many assignments there are. */
  async function count(): Promise<{ without: number; assignments: number }> {
    const [row] = await sql<[{ without: number; assignments: number }]>`
      select count(*) filter (where a.id is null) as without, count(a.id) as assignments
      from public.members m
      left join public.trainer_client_assignments a on a.client_id = m.id
      where m.id <> ${DEFAULT_TRAINER_ID}
    `;
    return row;
  }

  async function insertSome(rows: number): Promise<void> {
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${rows}::integer)`;
  }

  it("assigns single rows, several, INSERT … SELECT, COPY and upserts", async () => {
    const [one, ...several] = newIds(20);
    await sql`insert into public.members ${sql({ id: one })}`;
    await sql`insert into public.members ${sql(several.map((id) => ({ id })))}`;
    await insertSome(500);
    await sql`
      insert into public.members (id, display_name)
      select id, 'known' from unnest(${several}::uuid[]) as known (id)
      on conflict (id) do update set display_name = excluded.display_name
    `;
    const copy = await sql`copy public.members (id) from stdin`.writable();
    copy.end(newIds(500).join("\n"));
    await new Promise((resolve, reject) => copy.on("finish", resolve).on("error", reject));
    assertEquals(await count(), { without: 0, assignments: 1020 });
    const rows = await sql`
      select distinct trainer_id, source, assigned_by, policy_version from public.trainer_client_assignments
    `;
    assertEquals(rows.map((row) => ({ ...row })), [
      { trainerId: DEFAULT_TRAINER_ID, source: "trigger", assignedBy: "trigger", policyVersion: 1 },
    ]);
  });

  it("rolls an assignment back with its member", async () => {
    await sql.begin(async (transaction) => {
      await transaction`insert into public.members (id) select gen_random_uuid() from generate_series(1, 50)`;
      throw new Error("rolled back");
    }).catch(() => {});
    assertEquals(await count(), { without: 0, assignments: 0 });
  });

  it("records on the member's shard what failed, and a retry makes up for it", async () => {
    const accept = await refuseOnShards(database, "new.client_id::text ~ '^[0-7]'");
    await insertSome(200);
    const { without } = await count();
    const failures = await sql<{ sqlstate: string; failures: number }[]>`
      select sqlstate, count(*) as failures from assignment.failures group by sqlstate
    `;
    assertEquals(failures.map((row) => ({ ...row })), [{ sqlstate: "P0001", failures: without }]);
    assertEquals(without > 0 && without < 200, true);

    assertEquals((await retryFailures(sql)).failed, without);
    await accept();
    await sql`update assignment.failures set next_attempt_at = now()`;
    assertEquals((await retryFailures(sql)).succeeded, without);
    assertEquals(await count(), { without: 0, assignments: 200 });
    assertEquals((await sql`select from assignment.failures`).length, 0);
  });

  it("follows the rules of the policy, which names members of other shards", async () => {
    const [first = "", second = ""] = newIds(2).toSorted();
    await sql`insert into public.members ${sql([{ id: first }, { id: second }])}`;
    const vips = newIds(20);
    await putRules(sql, [{
      name: "VIPs",
      when: { field: "display_name", op: "eq", value: "VIP" },
      assign: among("all", [first, second]),
    }]);
    await sql`insert into public.members ${sql(vips.map((id) => ({ id, displayName: "VIP" })))}`;
    const [plain = ""] = newIds(1);
    await sql`insert into public.members ${sql({ id: plain })}`;
    const rows = await sql<{ trainerId: string; clients: number }[]>`
      select trainer_id, count(*) as clients
      from public.trainer_client_assignments
      where client_id = any (${[...vips, plain]}::uuid[])
      group by trainer_id
    `;
    assertEquals(
      new Map(rows.map(({ trainerId, clients }) => [trainerId, clients])),
      new Map([[first, 20], [second, 20], [DEFAULT_TRAINER_ID, 1]]),
    );
    await putRules(sql, []);
  });

  it("says on a row that another program ends who ended it", async () => {
    await insertSome(10);
    await sql`update public.trainer_client_assignments set status = 'inactive'`;
    const rows = await sql`
      select distinct ended_by = current_user as is_mine, ended_because, ended_at is not null as has_time
      from public.trainer_client_assignments
    `;
    assertEquals(rows.map((row) => ({ ...row })), [{ isMine: true, endedBecause: "direct", hasTime: true }]);
  });

  it("forgets the failure of a member who is deleted", async () => {
    const accept = await refuseOnShards(database, "true");
    await insertSome(20);
    await accept();
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
    assertEquals((await sql`select from assignment.failures`).length, 0);
  });

  it("goes on on a new node, and in shards that were moved or split", async () => {
    const added = database.workers.at(-1);
    if (added === undefined) throw new Error("the cluster needs two workers");
    await sql`select citus_add_node(${added.name}, ${added.port})`;
    await sql`select replicate_reference_tables('block_writes')`;
    await insertSome(100);
    const shards = await sql<{ id: number; node: string; port: number; middle: string }[]>`
      select s.shardid as id, n.nodename as node, n.nodeport as port,
        ((s.shardminvalue::bigint + s.shardmaxvalue::bigint) / 2)::text as middle
      from pg_dist_shard s
      join pg_dist_placement p using (shardid)
      join pg_dist_node n using (groupid)
      where s.logicalrelid = 'public.members'::regclass
      order by s.shardid
    `;
    for (const { id, node, port } of shards.slice(0, 2)) {
      await sql`
        select citus_move_shard_placement(${id}, ${node}, ${port}, ${added.name}, ${added.port}, 'block_writes')
      `;
    }
    const [split] = shards.slice(-1);
    if (split === undefined) throw new Error("there are shards");
    const [node] = await sql<[{ id: number }]>`
      select nodeid as id from pg_dist_node where nodename = ${split.node} and nodeport = ${split.port}
    `;
    await sql`
      select citus_split_shard_by_split_points(
        ${split.id}, array[${split.middle}], array[${node.id}, ${node.id}]::integer[], 'block_writes'
      )
    `;
    await insertSome(2000);
    assertEquals(await count(), { without: 0, assignments: 2100 });
    const moved = await sql`
      select
      from pg_dist_placement p
      join pg_dist_node n using (groupid)
      where p.shardid in ${sql(shards.slice(0, 2).map(({ id }) => id))}
        and n.nodeport = ${added.port}
    `;
    assertEquals(moved.length, 2);
  });
});
