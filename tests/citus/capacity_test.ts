import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../src/database/sql.ts";
import { AppError } from "../../src/errors.ts";
import type { Rule } from "../../src/policy/document.ts";
import { getTrainer } from "../../src/policy/trainers.ts";
import { startTransfer } from "../../src/runs/runs.ts";
import { reconcile } from "../../src/runs/schedule.ts";
import {
  assignClientToTrainer,
  assignNewUserToTrainer,
  DEFAULT_TRAINER_ID,
} from "../../src/trainer_assignment.ts";
import { newIds } from "../support/assignments.ts";
import { driveToEnd, runBackfill } from "../support/backfills.ts";
import { addTrainers, among, putRules, setCapacity } from "../support/policies.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { countClientsOf, readSeats, retryAll } from "./seats.ts";

describe("a capacity on shards", () => {
  let database: CitusDatabase;
  let sql: Sql;
  let anna: string, ben: string;
  beforeAll(async () => {
    database = await citusDatabase();
    ({ sql } = database);
  });
  beforeEach(async () => {
    await sql`update assignment.backfill_runs set status = 'cancelled', finished_at = now() where finished_at is null`;
    for (const trainerId of [DEFAULT_TRAINER_ID, anna, ben].filter((id) => id !== undefined)) {
      await setCapacity(sql, trainerId, null);
    }
    await putRules(sql, []);
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
    [anna = "", ben = ""] = await addTrainers(sql, 2);
    await sql`delete from public.trainer_client_assignments`;
  });
  afterAll(() => database.drop());

  const forClients = (assign: Rule["assign"]): Rule[] => [
    { name: "clients", when: { field: "display_name", op: "eq", value: "client" }, assign },
  ];
  const annaFirst = (whenFull: "next" | "wait") => forClients(among("spread", [anna], whenFull));

  async function signUp(count = 1): Promise<string[]> {
    const ids = newIds(count).toSorted();
    await sql`insert into public.members (id, display_name) select unnest(${ids}::uuid[]), 'client'`;
    return ids;
  }

  const retry = () => retryAll(sql);
  const clientsOf = (trainerId: string) => countClientsOf(sql, trainerId);
  const stateOf = (trainerId: string) => readSeats(sql, trainerId);

  it("is kept by signups on all shards: seats are brought to where they are asked for, and the next rule follows", async () => {
    await setCapacity(sql, anna, 20);
    await putRules(sql, annaFirst("next"));
    for (let times = 0; times < 3; times++) {
      await signUp(10);
      await retry();
    }
    assertEquals(await stateOf(anna), { clients: 20, free: 0, overbooked: 0, isFull: true });
    assertEquals(await clientsOf(DEFAULT_TRAINER_ID), 10);
    assertEquals((await sql`select from assignment.failures`).length, 0);
    assertEquals((await getTrainer(sql, anna)).room, 0);
  });

  it("lets wait who finds no room, until a seat is given back in whatever place", async () => {
    await setCapacity(sql, anna, 5);
    await putRules(sql, annaFirst("wait"));
    const ids = await signUp(8);
    await retry();
    assertEquals(await stateOf(anna), { clients: 5, free: 0, overbooked: 0, isFull: true });
    const waiting = await sql<{ sqlstate: string }[]>`select sqlstate from assignment.failures`;
    assertEquals(waiting.map(({ sqlstate }) => sqlstate), ["TA011", "TA011", "TA011"]);

    await sql`
      update public.trainer_client_assignments set status = 'inactive'
      where client_id = (select client_id from public.trainer_client_assignments where trainer_id = ${anna} limit 1)
    `;
    await retry();
    assertEquals(await clientsOf(anna), 5);
    assertEquals((await sql`select from assignment.failures`).length, 2);

    await setCapacity(sql, anna, 7);
    await retry();
    assertEquals(await clientsOf(anna), 7);
    assertEquals(
      (await sql`select from assignment.failures where member_id = any (${ids}::uuid[])`).length,
      0,
    );
  });

  it("is kept when many sign up at once, and none of the seats is left over", async () => {
    await setCapacity(sql, anna, 100);
    await putRules(sql, annaFirst("next"));
    await Promise.all(Array.from({ length: 40 }, () => signUp(5)));
    await Promise.all(Array.from({ length: 5 }, retry));
    await retry();
    assertEquals(await stateOf(anna), { clients: 100, free: 0, overbooked: 0, isFull: true });
    assertEquals(await clientsOf(DEFAULT_TRAINER_ID), 100);
  });

  it("is kept by runs, as a dry run says beforehand", async () => {
    const ids = await signUp(300);
    await sql`delete from public.trainer_client_assignments`;
    await setCapacity(sql, anna, 50);
    await setCapacity(sql, ben, 30);
    await putRules(sql, forClients(among("spread", [anna, ben])));
    const said = await runBackfill(sql, { dryRun: true });
    assertEquals(await stateOf(anna), { clients: 0, free: 50, overbooked: 0, isFull: false });
    const run = await runBackfill(sql);
    const given = (choices: typeof run.choices) =>
      choices.map(({ trainerId, members }) => [trainerId, members]).toSorted();
    assertEquals([run.status, run.successful], ["succeeded", ids.length + 2]);
    assertEquals(
      given(run.choices),
      [[anna, 50], [ben, 30], [DEFAULT_TRAINER_ID, ids.length - 78]].toSorted(),
    );
    assertEquals(given(said.choices), given(run.choices));
  });

  it("is kept by runs and transfers to one trainer, who tell whom they had no room for", async () => {
    await signUp(100);
    await setCapacity(sql, anna, 30);
    await setCapacity(sql, ben, 20);
    const said = await runBackfill(sql, { trainerId: anna, dryRun: true });
    const run = await runBackfill(sql, { trainerId: anna });
    assertEquals([run.status, run.successful, run.failed], ["completed_with_errors", 30, 72]);
    assertEquals([said.successful, said.failed], [30, 72]);
    assertEquals(new Set(run.errors.map(({ code }) => code)), new Set(["TA011"]));

    const moved = await driveToEnd(
      sql,
      await startTransfer(sql, { requestedBy: "test", fromTrainerId: anna, trainerId: ben }),
    );
    assertEquals([moved.successful, moved.failed], [20, 10]);
    await retry(); // which notices that Anna has room
    assertEquals(await stateOf(anna), { clients: 10, free: 20, overbooked: 0, isFull: false });
    assertEquals(await clientsOf(ben), 20);
  });

  it("is gone beyond by an admin's force alone, and must be worked off", async () => {
    await setCapacity(sql, anna, 2);
    await putRules(sql, annaFirst("next"));
    const [one = "", two = "", three = "", four = ""] = await signUp(4);
    await retry();
    const hands = { requestedBy: "test", trainerId: anna };
    const late = (await sql<{ id: string }[]>`
      select client_id as id from public.trainer_client_assignments where trainer_id = ${DEFAULT_TRAINER_ID} and client_id <> ${ben}
    `).map(({ id }) => id).filter((id) => [one, two, three, four].includes(id));
    assertEquals(late.length, 2);
    const refused = await assertRejects(() => assignClientToTrainer(sql, late[0] ?? "", hands), AppError);
    assertEquals(refused.code, "no_room");
    await assignClientToTrainer(sql, late[0] ?? "", { ...hands, force: true });
    assertEquals(await stateOf(anna), { clients: 3, free: 0, overbooked: 1, isFull: true });

    const ended = (await sql<{ id: string }[]>`
      select client_id as id from public.trainer_client_assignments where trainer_id = ${anna} order by client_id
    `).map(({ id }) => id);
    await sql`select assignment.end_assignment(${ended[0] ?? ""}, ${anna})`;
    await signUp(3);
    await retry();
    assertEquals(await stateOf(anna), { clients: 2, free: 0, overbooked: 0, isFull: true });
    await sql`delete from public.members where id = ${ended[1] ?? ""}`;
    await retry(); // the service has seen it
    await signUp(3);
    await retry();
    assertEquals(await stateOf(anna), { clients: 2, free: 0, overbooked: 0, isFull: true });
  });

  it("is kept by programs that sign members up for a trainer, wherever the seats lie", async () => {
    const ids = await signUp(4);
    await setCapacity(sql, anna, 3);
    const answers = [];
    for (const id of ids) answers.push(await assignNewUserToTrainer(sql, id, anna));
    assertEquals(answers.map(({ assigned, failure }) => [assigned, failure?.sqlstate]), [
      [true, undefined],
      [true, undefined],
      [true, undefined],
      [false, "TA011"],
    ]);
    assertEquals((await sql`select from assignment.failures where requested_trainer_id = ${anna}`).length, 1);
  });

  it("gives to whoever has the most room, wherever it lies", async () => {
    await setCapacity(sql, anna, 10);
    await setCapacity(sql, ben, 30);
    await putRules(sql, forClients(among("most_room", [anna, ben])));
    for (let times = 0; times < 4; times++) {
      await signUp(12);
      await retry();
    }
    assertEquals([await clientsOf(anna), await clientsOf(ben)], [10, 30]);
    assertEquals(await clientsOf(DEFAULT_TRAINER_ID), 8);
  });

  it("says of a member what the policy decides, with the room of all places", async () => {
    await setCapacity(sql, anna, 9);
    await putRules(sql, annaFirst("next"));
    const [client = ""] = await signUp(1);
    await retry();
    const [row] = await sql<[{ decision: { rules: { trainers: { room: number }[] }[] } }]>`
      select assignment.explain_decision(${client}) as decision
    `;
    assertEquals(row.decision.rules[0]?.trainers.map(({ room }) => room), [8]);
    assertEquals((await getTrainer(sql, anna)).room, 8);
  });

  it("is put right by the schedule after seats were lost or added, or rows made active past the service", async () => {
    await setCapacity(sql, anna, 6);
    await putRules(sql, annaFirst("next"));
    await signUp(3);
    await retry();
    await sql`delete from assignment.seats where trainer_id = ${anna}`;
    assertEquals((await reconcile(sql, new Date())).repairedSeats, 3);
    await sql`update assignment.backfill_runs set status = 'cancelled', finished_at = now() where finished_at is null`;
    assertEquals(await stateOf(anna), { clients: 3, free: 3, overbooked: 0, isFull: false });
    await sql`
      insert into public.trainer_client_assignments (trainer_id, client_id)
      select ${anna}, id from public.members where id not in (
        select client_id from public.trainer_client_assignments where trainer_id = ${anna}
      ) and id <> ${anna} limit 2
    `.catch(() => {});
    await sql`update public.trainer_client_assignments set status = 'inactive' where trainer_id = ${anna}`;
    await sql`update public.trainer_client_assignments set status = 'active', ended_at = null, ended_by = null, ended_because = null where trainer_id = ${anna}`;
    const { clients } = await stateOf(anna) as { clients: number };
    await reconcile(sql, new Date());
    const after = await stateOf(anna) as { free: number; overbooked: number };
    assertEquals(after.free - after.overbooked, 6 - clients);
  });

  it("is forgotten with its trainer", async () => {
    const [gone = ""] = await addTrainers(sql, 1);
    await setCapacity(sql, gone, 3);
    await sql`delete from public.members where id = ${gone}`;
    await reconcile(sql, new Date());
    assertEquals((await sql`select from assignment.trainers where trainer_id = ${gone}`).length, 0);
    assertEquals((await sql`select from assignment.seats where trainer_id = ${gone}`).length, 0);
  });

  it("moves with a shard that is split, and is kept when the tables are distributed", async () => {
    await setCapacity(sql, anna, 40);
    await putRules(sql, annaFirst("next"));
    await signUp(10);
    const [shard] = await sql<[{ id: number; node: number; middle: string }]>`
      select s.shardid as id, n.nodeid as node,
        ((s.shardminvalue::bigint + s.shardmaxvalue::bigint) / 2)::text as middle
      from pg_dist_shard s
      join pg_dist_placement using (shardid)
      join pg_dist_node n using (groupid)
      where s.logicalrelid = 'public.members'::regclass
      order by s.shardminvalue::integer
      limit 1
    `;
    await sql`
      select citus_split_shard_by_split_points(
        ${shard.id}, array[${shard.middle}], array[${shard.node}, ${shard.node}]::integer[], 'block_writes'
      )
    `;
    await signUp(60);
    await retry();
    assertEquals(await stateOf(anna), { clients: 40, free: 0, overbooked: 0, isFull: true });
    await setCapacity(sql, anna, 45);
    await signUp(10);
    await retry();
    assertEquals(await stateOf(anna), { clients: 45, free: 0, overbooked: 0, isFull: true });
  });
});
