/** Capacities while everything goes on at once: signups, ends, deletions, retries, moves of shards, and crashes of workers. */
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Sql, SqlOrTransaction } from "../../src/database/sql.ts";
import type { Rule } from "../../src/policy/document.ts";
import { newIds } from "../support/assignments.ts";
import { addTrainers, among, putRules, setCapacity } from "../support/policies.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { crash, persist } from "./crashes.ts";
import { readSeats, retryAll } from "./seats.ts";
import { moveAShard } from "./shards.ts";

const ROUND_MS = 4000;

describe("capacities through crashes", () => {
  let database: CitusDatabase;
  let sql: Sql;
  let capacities: Map<string, number>;
  beforeAll(async () => {
    database = await citusDatabase();
    ({ sql } = database);
    const [anna = "", ben = "", cleo = ""] = await addTrainers(sql, 3);
    capacities = new Map([[anna, 1], [ben, 12], [cleo, 40]]);
    for (const [trainerId, capacity] of capacities) await setCapacity(sql, trainerId, capacity);
    const to = (name: string, assign: Rule["assign"]): Rule => (
      { name, when: { field: "display_name", op: "eq", value: name }, assign }
    );
    await putRules(sql, [
      to("spread", among("spread", [anna, ben, cleo], "next")),
      to("room", among("most_room", [ben, cleo], "wait")),
      to("all", among("all", [anna, cleo], "next")),
    ]);
  });
  afterAll(() => database.drop());

  it("are kept, no seat is lost, and nobody goes without a trainer or a failure", async () => {
    for (const meanwhile of [moveAShard, crashOne]) {
      await runLoad(meanwhile);
      await comeToRest();
      for (const [trainerId, capacity] of capacities) {
        const { clients, free, overbooked } = await readSeats(sql, trainerId);
        assertEquals([clients + free, overbooked], [capacity, 0]);
      }
      assertEquals([...await sql`select * from assignment.settle_all_seats()`], []);
      const lost = await sql`
        select m.id
        from public.members m
        left join public.trainer_client_assignments a on a.client_id = m.id
        left join assignment.failures f on f.member_id = m.id
        join assignment.settings s on s.default_trainer_id <> m.id
        where a.id is null
          and f.member_id is null
      `;
      assertEquals([...lost], []);
    }
  });

  async function runLoad(meanwhile: (database: CitusDatabase) => Promise<void>): Promise<void> {
    const until = Date.now() + ROUND_MS;
    const again = async (work: (session: Sql) => Promise<unknown>) => {
      const session = database.newConnection();
      while (Date.now() < until) await work(session).catch(() => {}); // a node is away, or the work is rolled back
    };
    await Promise.all([
      again((session) => signUp(session, 1)),
      again((session) => signUp(session, 10)),
      again((session) => session.begin("isolation level serializable", (t) => signUp(t, 2))),
      again((session) =>
        session.begin(async (t) => {
          await signUp(t, 3);
          throw new Error("it is rolled back");
        })
      ),
      again((session) => change(session, "end")),
      again((session) => change(session, "delete")),
      again((session) => retryAll(session)),
      again((session) => session`select assignment.make_failures_due()`),
      again((session) => session`select from assignment.settle_all_seats()`),
      new Promise((resolve) => setTimeout(resolve, ROUND_MS / 3)).then(() =>
        meanwhile(database).catch(() => {})
      ),
    ]);
  }

  async function signUp(session: SqlOrTransaction, count: number): Promise<void> {
    const kind = ["spread", "room", "all"][Math.floor(Math.random() * 3)] ?? "";
    await session`insert into public.members (id, display_name) select unnest(${
      newIds(count)
    }::uuid[]), ${kind}`;
  }

  async function change(session: Sql, how: "end" | "delete"): Promise<void> {
    const trainerIds = [...capacities.keys()];
    const trainerId = trainerIds[Math.floor(Math.random() * trainerIds.length)] ?? "";
    const clients = await session<{ id: string }[]>`
      select client_id as id
      from public.trainer_client_assignments
      where trainer_id = ${trainerId} and status = 'active' and client_id <> all (${trainerIds}::uuid[])
      limit 2
    `;
    const ids = clients.map(({ id }) => id);
    await (how === "delete"
      ? session`delete from public.members where id = any (${ids}::uuid[])`
      : session`update public.trainer_client_assignments set status = 'inactive' where client_id = any (${ids}::uuid[])`);
  }

  async function crashOne(): Promise<void> {
    const worker = database.workers[Math.floor(Math.random() * database.workers.length)];
    if (worker !== undefined) await crash(database, worker);
  }

  /** What a crash left prepared is recovered, and what failed is retried, as the service does by and by. */
  async function comeToRest(): Promise<void> {
    await persist(() => sql`select recover_prepared_transactions()`);
    for (let times = 0; times < 2; times++) {
      await persist(() => sql`select assignment.make_failures_due()`);
      await persist(() => retryAll(sql));
    }
  }
});
