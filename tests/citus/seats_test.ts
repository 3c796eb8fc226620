/** Seats of trainers with a capacity: where they go when they are given back, and what counts them, whatever else goes on. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../src/database/sql.ts";
import type { Rule } from "../../src/policy/document.ts";
import { assignClientToTrainer, assignNewUserToTrainer } from "../../src/trainer_assignment.ts";
import { newIds } from "../support/assignments.ts";
import { addTrainers, among, putRules, setCapacity } from "../support/policies.ts";
import { waitUntil } from "../support/wait_until.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { newIdsByShard, readSeats, retryAll } from "./seats.ts";

describe("a seat on shards", () => {
  let database: CitusDatabase;
  let sql: Sql;
  let anna: string;
  beforeAll(async () => {
    database = await citusDatabase();
    ({ sql } = database);
  });
  beforeEach(async () => {
    await putRules(sql, []);
    [anna = ""] = await addTrainers(sql, 1);
    await sql`delete from assignment.failures`;
  });
  afterAll(() => database.drop());

  const annaFirst = (whenFull: "next" | "wait"): Rule[] => [{
    name: "clients",
    when: { field: "display_name", op: "eq", value: "client" },
    assign: among("spread", [anna], whenFull),
  }];

  async function signUp(ids = newIds(1), session = sql): Promise<void> {
    await session`insert into public.members (id, display_name) select unnest(${ids}::uuid[]), 'client'`;
  }

  async function endOne(): Promise<void> {
    await sql`
      update public.trainer_client_assignments set status = 'inactive'
      where client_id = (
        select client_id from public.trainer_client_assignments
        where trainer_id = ${anna} and status = 'active'
        limit 1
      )
    `;
  }

  async function countWaiting(): Promise<number> {
    return (await sql`select from assignment.failures`).length;
  }

  async function isSomebodyWaiting(): Promise<boolean> {
    const waiting = await sql`
      select from pg_locks l join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and not l.granted and d.datname = current_database()
    `;
    return waiting.length > 0;
  }

  /** Takes the functions of a member's shard away, and the lock for making them, as long as the work lasts. */
  async function breakShardOf(id: string, work: () => Promise<void>): Promise<void> {
    const [{ shard, port }] = await sql<[{ shard: string; port: number }]>`
      select s.shardid::text as shard, n.nodeport as port
      from pg_dist_shard s
      join pg_dist_placement using (shardid)
      join pg_dist_node n using (groupid)
      where s.shardid = get_shard_id_for_distribution_column('public.members', ${id}::uuid)
    `;
    const worker = database.workers.find((each) => each.port === port);
    if (worker === undefined) throw new Error("the shard is on no worker");
    await database.onWorker(worker, (node) =>
      node.begin(async (transaction) => {
        await transaction`select pg_advisory_xact_lock(hashtextextended('trainer assignment: functions of a shard', ${shard}::bigint))`;
        await database.onWorker(worker, async (other) => {
          await other.unsafe(`drop function assignment_shards.keep_seats_${shard}(jsonb)`);
        });
        await work();
      }));
  }

  it("is given to who waits, each time that one is given back", async () => {
    await setCapacity(sql, anna, 3);
    await putRules(sql, annaFirst("wait"));
    await signUp(newIds(6));
    await retryAll(sql);
    const seen = [];
    for (let times = 0; times < 3; times++) {
      await endOne();
      await retryAll(sql);
      seen.push([(await readSeats(sql, anna)).clients, await countWaiting()]);
    }
    assertEquals(seen, [[3, 2], [3, 1], [3, 0]]);
    assertEquals((await sql`select from assignment.seat_changes`).length, 0);
  });

  it("is given on where too few were brought at once for all who wait", async () => {
    await setCapacity(sql, anna, 2);
    await putRules(sql, annaFirst("wait"));
    const [inOneShard = []] = await newIdsByShard(sql, 4);
    await signUp(inOneShard);
    await retryAll(sql);
    assertEquals(await readSeats(sql, anna), { clients: 2, free: 0, overbooked: 0, isFull: true });
    await endOne();
    await retryAll(sql);
    assertEquals([(await readSeats(sql, anna)).clients, await countWaiting()], [2, 1]);
  });

  it("is counted by the capacity of now, when that changes while seats are settled", async () => {
    await setCapacity(sql, anna, 10);
    const other = database.newConnection();
    let settled: Promise<unknown> | undefined;
    await sql.begin(async (transaction) => {
      await transaction`select assignment.lock_free_seats()`;
      settled = other`select from assignment.settle_all_seats()`.execute();
      await waitUntil("it waits for whoever is at the seats", isSomebodyWaiting);
      await transaction`select assignment.change_trainer(${anna}, '{"capacity": 3}', 'a test')`;
    });
    await settled;
    assertEquals((await readSeats(sql, anna)).free, 3);
  });

  it("is not counted by snapshots of different times", async () => {
    await setCapacity(sql, anna, 3);
    const error = await assertRejects(
      () => sql.begin("isolation level repeatable read", (t) => t`select from assignment.settle_all_seats()`),
      postgres.PostgresError,
    );
    assertEquals(error.code, "25000");
  });

  it("that a signup is just taking is not set off against a client beyond the capacity, and nobody waits", async () => {
    await setCapacity(sql, anna, 1);
    await putRules(sql, annaFirst("next"));
    const [byForce = ""] = newIds(1);
    await sql`insert into public.members (id) values (${byForce})`;
    const [seat] = await sql<[{ shard: number }]>`
      select get_shard_id_for_distribution_column('public.members', place) as shard
      from assignment.seats
      where trainer_id = ${anna}
    `;
    const [{ id }] = await sql<[{ id: string }]>`
      select id from (select gen_random_uuid() as id from generate_series(1, 1000)) as drawn
      where get_shard_id_for_distribution_column('public.members', id) = ${seat.shard}
      limit 1
    `;
    await database.newConnection().begin(async (transaction) => {
      await transaction`insert into public.members (id, display_name) values (${id}, 'client')`;
      await assignClientToTrainer(sql, byForce, { trainerId: anna, force: true });
      assertEquals(await readSeats(sql, anna), { clients: 1, free: 1, overbooked: 1, isFull: true });
      await retryAll(sql);
    });
    await retryAll(sql);
    assertEquals(await readSeats(sql, anna), { clients: 2, free: 0, overbooked: 1, isFull: true });
    await endOne();
    await retryAll(sql);
    await signUp();
    await retryAll(sql);
    assertEquals(await readSeats(sql, anna), { clients: 1, free: 0, overbooked: 0, isFull: true });
  });

  it("is set off against a client whom plain SQL makes active where none lies", async () => {
    await setCapacity(sql, anna, 1);
    await putRules(sql, annaFirst("next"));
    const [here = [], there = []] = await newIdsByShard(sql, 1);
    await signUp(here);
    await retryAll(sql);
    await endOne();
    await retryAll(sql);
    await sql`delete from assignment.seats where trainer_id = ${anna}`;
    await sql`
      insert into assignment.seats (place, trainer_id) values (assignment.find_place_of(${
      there[0] ?? ""
    }), ${anna})
    `;
    await sql`
      update public.trainer_client_assignments
      set status = 'active', ended_at = null, ended_by = null, ended_because = null
      where trainer_id = ${anna}
    `;
    assertEquals(await readSeats(sql, anna), { clients: 1, free: 1, overbooked: 1, isFull: false });
    await retryAll(sql);
    await signUp(there);
    await retryAll(sql);
    assertEquals(await readSeats(sql, anna), { clients: 1, free: 0, overbooked: 0, isFull: true });
  });

  it("is looked for by each signup of a transaction, whatever was asked before", async () => {
    await setCapacity(sql, anna, 4);
    await putRules(sql, annaFirst("wait"));
    const ids = (await newIdsByShard(sql, 1)).flat();
    await database.newConnection().begin(async (transaction) => {
      for (const id of ids) {
        await transaction`insert into public.members (id, display_name) values (${id}, 'client')`;
        await transaction`select assignment.explain_decision(${id})`;
      }
    });
    const rows = await sql<{ sqlstate: string }[]>`select distinct sqlstate from assignment.failures`;
    assertEquals(rows.map(({ sqlstate }) => sqlstate), ["TA023"]);
    await retryAll(sql);
    assertEquals((await readSeats(sql, anna)).clients, 4);
    assert(await countWaiting() > 0);
  });

  it("is not lost when the member for whom it was brought is deleted meanwhile", async () => {
    await setCapacity(sql, anna, 1);
    await putRules(sql, annaFirst("wait"));
    const [here = [], there = []] = await newIdsByShard(sql, 1);
    await sql`delete from assignment.seats where trainer_id = ${anna}`;
    await sql`
      insert into assignment.seats (place, trainer_id) values (assignment.find_place_of(${
      there[0] ?? ""
    }), ${anna})
    `;
    await signUp(here);
    let retried: Promise<unknown> | undefined;
    await sql.begin(async (transaction) => {
      await transaction`select assignment.lock_free_seats()`;
      retried = database.newConnection()`select assignment.retry_failures()`.execute();
      await waitUntil("it waits for whoever is at the seats", isSomebodyWaiting);
      await database.newConnection()`delete from public.members where id = ${here[0] ?? ""}`;
    });
    await retried;
    assertEquals(await readSeats(sql, anna), { clients: 0, free: 1, overbooked: 0, isFull: false });
  });

  it("is given back where nobody can make the shard's functions", async () => {
    await setCapacity(sql, anna, 1);
    await putRules(sql, annaFirst("next"));
    const [ids = []] = await newIdsByShard(sql, 1);
    await signUp(ids);
    await retryAll(sql);
    await breakShardOf(ids[0] ?? "", async () => {
      await endOne();
      assertEquals(await readSeats(sql, anna), { clients: 0, free: 1, overbooked: 0, isFull: false });
      await sql`
        update public.trainer_client_assignments
        set status = 'active', ended_at = null, ended_by = null, ended_because = null
        where trainer_id = ${anna}
      `;
    });
    assertEquals(await readSeats(sql, anna), { clients: 1, free: 1, overbooked: 1, isFull: false });
    await retryAll(sql);
    assertEquals(await readSeats(sql, anna), { clients: 1, free: 0, overbooked: 0, isFull: true });
  });

  it("that a program cannot have brought now leaves a failure, in a transaction too", async () => {
    await setCapacity(sql, anna, 1);
    const [here = [], there = []] = await newIdsByShard(sql, 1);
    await sql`delete from assignment.seats where trainer_id = ${anna}`;
    await sql`
      insert into assignment.seats (place, trainer_id) values (assignment.find_place_of(${
      there[0] ?? ""
    }), ${anna})
    `;
    const [id = ""] = here;
    await sql.begin(async (holder) => {
      await holder`select assignment.lock_free_seats()`;
      await database.newConnection().begin(async (transaction) => {
        await transaction`insert into public.members (id) values (${id})`;
        const answer = await assignNewUserToTrainer(transaction, id, anna);
        assertEquals([answer.assigned, answer.failure?.sqlstate], [false, "55P03"]);
      });
    });
    await sql`select assignment.make_failures_due()`;
    await retryAll(sql);
    assertEquals((await readSeats(sql, anna)).clients, 1);
    await database.newConnection().begin(async (transaction) => {
      assertEquals(await assignNewUserToTrainer(transaction, id, anna), {
        assigned: true,
        failure: null,
      });
    });
  });

  it("is taken out of a place alone, whatever the statistics say", async () => {
    await setCapacity(sql, anna, 1);
    await sql`delete from assignment.seats where trainer_id <> ${anna}`;
    const [{ place }] = await sql<[{ place: string }]>`select place from assignment.seats`;
    await sql`analyze assignment.seats`;
    await sql`insert into assignment.seats (place, trainer_id) select ${place}, ${anna} from generate_series(1, 6)`;
    const [{ released }] = await sql<[{ released: number }]>`
      select assignment.release_at(${place}, ${anna}, 1) as released
    `;
    assertEquals([released, (await readSeats(sql, anna)).free], [1, 6]);
  });
});
