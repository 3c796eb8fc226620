import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { countFailures, newId, newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import {
  addTrainers,
  among,
  countClients,
  countRoom,
  putRules,
  setCapacity,
} from "../../support/policies.ts";

const SESSIONS = 32;

describe("many sessions that sign members up at once", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterEach(() => database.drop());

  /**
   * Signs members up one by one, in many sessions. Before PostgreSQL 16, sessions wait for each other to extend a file;
   * whoever waited too long on a busy machine is retried.
   */
  async function signUp(count: number, sessionCount = SESSIONS): Promise<void> {
    const waiting = newIds(count);
    const sessions = Array.from({ length: sessionCount }, () => database.newConnection());
    await Promise.all(sessions.map(async (session) => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        await session`insert into public.members (id) values (${id})`;
      }
    }));
    await sql`update assignment.failures set next_attempt_at = now() where sqlstate = '55P03'`;
    await sql`select assignment.retry_failures()`;
    assertEquals(await countFailures(sql), 0);
  }

  it("give shares by weight", async () => {
    const [anna = "", ben = ""] = await addTrainers(sql, 2);
    await putRules(sql, [{
      name: "spread",
      assign: { choose: "spread", trainers: [{ trainerId: anna, weight: 3 }, { trainerId: ben, weight: 1 }] },
    }]);
    await signUp(4000);
    const [annas = 0, bens = 0] = await countClients(sql, [anna, ben]);
    assertEquals(annas + bens, 4000);
    assert(Math.abs(annas / 4000 - 0.75) < 0.03, `${annas} of 4000`); // 4.4 standard deviations
  });

  it("spread members evenly, whatever the order of the rule", async () => {
    const trainers = await addTrainers(sql, 4);
    await putRules(sql, [{ name: "even", assign: among("spread", trainers) }]);
    await signUp(1000);
    const clients = await countClients(sql, trainers);
    assertEquals(clients.reduce((sum, count) => sum + count), 1000);
    for (const count of clients) assert(Math.abs(count - 250) < 70, `${clients}`); // 5 standard deviations
  });

  /**
   * A session chooses the trainer who has the most room as far as it sees. It misses at most one client for each other
   * session. So no trainer gets ahead of another by more clients than there are sessions.
   */
  it("keep trainers with the same capacity level, to within one client a session", async () => {
    const trainers = await addTrainers(sql, 4);
    for (const trainer of trainers) await setCapacity(sql, trainer, 1000);
    await putRules(sql, [{ name: "room", assign: among("most_room", trainers) }]);
    await signUp(1000);
    const clients = await countClients(sql, trainers);
    assertEquals(clients.reduce((sum, count) => sum + count), 1000);
    assert(Math.max(...clients) - Math.min(...clients) <= SESSIONS, `${clients}`);
  });

  /**
   * Sessions that overlap choose the same trainer, the longest idle one. With four sessions a turn gives her 1 to 4 clients.
   * The standard deviation of all her turns is at most 16: where each turn gives either 1 client or 4.
   */
  it("give trainers without a capacity their turn, whatever the order of the rule", async () => {
    const trainers = await addTrainers(sql, 4);
    await putRules(sql, [{ name: "turns", assign: among("most_room", trainers) }]);
    await signUp(1000, 4);
    const clients = await countClients(sql, trainers);
    assertEquals(clients.reduce((sum, count) => sum + count), 1000);
    for (const count of clients) assert(Math.abs(count - 250) < 70, `${clients}`); // 4.4 standard deviations
  });

  it("fill a trainer to the seat, and wait for nobody's open transaction", async () => {
    const [anna = ""] = await addTrainers(sql, 1);
    await setCapacity(sql, anna, 100);
    await putRules(sql, [{ name: "anna first", assign: among("spread", [anna]) }]);
    const [before = 0] = await countClients(sql, [DEFAULT_TRAINER_ID]);
    const own = newId();
    await database.newConnection().begin(async (open) => {
      await open`insert into public.members (id) values (${own})`;
      const watch = watchForWaits(sql);
      await signUp(320); // also without failures: whoever waited for the open transaction would run into a timeout
      assertEquals(await watch.stop(), []);
    });
    assertEquals(await countClients(sql, [anna, DEFAULT_TRAINER_ID]), [100, before + 221]);
    assertEquals(await countRoom(sql, anna), 0);
  });

  it("leave the seat of a transaction that rolls back to the next who comes", async () => {
    const [anna = ""] = await addTrainers(sql, 1);
    await setCapacity(sql, anna, 100);
    await putRules(sql, [{ name: "anna first", assign: among("spread", [anna]) }]);
    await database.newConnection().begin(async (open) => {
      await open`insert into public.members (id) select unnest(${newIds(10)}::uuid[])`;
      await signUp(150);
      assertEquals(await countClients(sql, [anna]), [90]);
      throw new RollBack();
    }).catch((error) => {
      if (!(error instanceof RollBack)) throw error;
    });
    assertEquals(await countRoom(sql, anna), 10);
    await signUp(20);
    assertEquals([await countClients(sql, [anna]), await countRoom(sql, anna)], [[100], 0]);
  });

  it("keep seats in step with those that are given back and taken meanwhile", async () => {
    const trainers = await addTrainers(sql, 3);
    for (const trainer of trainers) await setCapacity(sql, trainer, 20);
    await putRules(sql, [{ name: "room", assign: among("most_room", trainers) }]);
    const ending = Array.from({ length: 4 }, () => database.newConnection());
    let isOver = false;
    const ends = ending.map(async (session) => {
      while (!isOver) {
        await session`
          update public.trainer_client_assignments
          set status = 'inactive', ended_at = now()
          where id = (
            select id from public.trainer_client_assignments
            where status = 'active' and trainer_id = any (${trainers}::uuid[])
            order by random()
            limit 1
            for update skip locked
          )
        `;
      }
    });
    const capacities = (async () => {
      for (const capacity of [10, 30, 5, 25]) await setCapacity(sql, trainers[0] ?? "", capacity);
    })();
    await signUp(600);
    isOver = true;
    await Promise.all([...ends, capacities]);

    const clients = await countClients(sql, trainers);
    const rooms = await Promise.all(trainers.map((trainer) => countRoom(sql, trainer)));
    assertEquals(clients.map((count, at) => count + (rooms[at] ?? 0)), [25, 20, 20]);
  });
});

class RollBack extends Error {}

/** Looks for sessions that wait for another's transaction or row, again and again; tells of those it saw. */
function watchForWaits(sql: Sql): { stop(): Promise<string[]> } {
  let isOver = false;
  const waits: string[] = [];
  const watching = (async () => {
    while (!isOver) {
      const rows = await sql<{ wait: string }[]>`
        select format('%s %s by %s', l.locktype, l.mode, a.query) as wait
        from pg_locks l
        join pg_stat_activity a on a.pid = l.pid
        where not l.granted
          and l.locktype in ('transactionid', 'tuple')
          and a.datname = current_database()
      `;
      waits.push(...rows.map(({ wait }) => wait));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      return waits;
    },
  };
}
