import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { countFailures, newId, newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";
import {
  addTrainers,
  among,
  countClients,
  countRoom,
  putRules,
  setCapacity,
} from "../../support/policies.ts";

describe("a seat", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string, ben: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [anna = "", ben = ""] = await addTrainers(sql, 2);
    await setCapacity(sql, anna, 3);
    await setCapacity(sql, ben, 3);
    await putRules(sql, [{ name: "anna first", assign: among("spread", [anna]) }]);
  });
  afterEach(() => database.drop());

  async function signUp(count = 1): Promise<string[]> {
    const ids = newIds(count).toSorted();
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    return ids;
  }

  /** Active clients of a trainer, and free seats; negative where there are more clients than the capacity. */
  async function stateOf(trainerId: string): Promise<[clients: number, room: number]> {
    const [clients = 0] = await countClients(sql, [trainerId]);
    return [clients, await countRoom(sql, trainerId)];
  }

  async function reconcile(): Promise<number> {
    const slot = new Date();
    await sql`select assignment.reconcile(${slot})`;
    const [row] = await sql<[{ repairedSeats: number }]>`
      select repaired_seats from assignment.reconciliations where slot = ${slot}
    `;
    return row.repairedSeats;
  }

  const waysOut: Record<string, (sql: Sql, id: string) => Promise<unknown>> = {
    "ends it with the API": (sql, id) => sql`select assignment.end_assignment(${id}, ${anna})`,
    "updates its status": (sql, id) =>
      sql`update public.trainer_client_assignments set status = 'inactive', ended_at = now() where client_id = ${id}`,
    "deletes it": (sql, id) => sql`delete from public.trainer_client_assignments where client_id = ${id}`,
    "deletes the member": (sql, id) => sql`delete from public.members where id = ${id}`,
    "moves it to another trainer": (sql, id) =>
      sql`update public.trainer_client_assignments set trainer_id = ${ben} where client_id = ${id}`,
  };
  for (const [what, out] of Object.entries(waysOut)) {
    it(`is given back when somebody ${what}, and the next signup takes it`, async () => {
      const [first = ""] = await signUp(3);
      await signUp();
      assertEquals(await stateOf(anna), [3, 0]);
      await out(sql, first);
      assertEquals(await stateOf(anna), [2, 1]);
      await signUp(2);
      assertEquals(await stateOf(anna), [3, 0]);
      const [clients, room] = await stateOf(ben);
      assertEquals(room, 3 - clients);
    });
  }

  it("is given back for each of many assignments that one statement ends", async () => {
    const ids = await signUp(3);
    await sql`
      update public.trainer_client_assignments
      set status = 'inactive', ended_at = now()
      where client_id = any (${ids}::uuid[])
    `;
    assertEquals(await stateOf(anna), [0, 3]);
  });

  it("comes back with a rollback, of a transaction or to a savepoint", async () => {
    const id = newId();
    await sql.begin(async (transaction) => {
      await transaction`insert into public.members (id) values (${id})`;
      await transaction.savepoint(async (savepoint) => {
        await savepoint`insert into public.members (id) values (${newId()})`;
        throw new RollBack();
      }).catch(ignoreRollBack);
    });
    assertEquals(await stateOf(anna), [1, 2]);
    await sql.begin(async (transaction) => {
      await transaction`insert into public.members (id) select unnest(${newIds(2)}::uuid[])`;
      await transaction`select assignment.end_assignment(${id}, ${anna})`;
      throw new RollBack();
    }).catch(ignoreRollBack);
    assertEquals(await stateOf(anna), [1, 2]);
  });

  it("is taken by an assignment that plain SQL makes active again, beyond the capacity too", async () => {
    const [first = ""] = await signUp(3);
    await sql`select assignment.end_assignment(${first}, ${anna})`;
    await signUp();
    await sql`
      update public.trainer_client_assignments set status = 'active', ended_at = null where client_id = ${first}
    `;
    assertEquals(await stateOf(anna), [4, -1]);
  });

  it("stays where it is when an update changes something else", async () => {
    const [first = ""] = await signUp(2);
    await sql`update public.trainer_client_assignments set notes = 'hello'`;
    await sql`update public.members set id = ${newId()} where id = ${first}`;
    assertEquals(await stateOf(anna), [2, 1]);
  });

  it("follows a trainer whose id changes", async () => {
    await signUp(2);
    const other = newId();
    await sql`update public.members set id = ${other} where id = ${anna}`;
    assertEquals([await stateOf(anna), await stateOf(other)], [[0, 0], [2, 1]]);
  });

  it("is added when the capacity rises", async () => {
    await signUp(5);
    await setCapacity(sql, anna, 4);
    await signUp(5);
    assertEquals(await stateOf(anna), [4, 0]);
    await setCapacity(sql, anna, null);
    await signUp(5);
    assertEquals(await stateOf(anna), [9, 0]);
  });

  it("goes when the capacity falls; nobody is thrown out, and nobody comes until there are fewer", async () => {
    const [one = "", two = ""] = await signUp(3);
    await setCapacity(sql, anna, 2);
    assertEquals(await stateOf(anna), [3, -1]);
    await signUp();
    await sql`select assignment.end_assignment(${one}, ${anna})`;
    await signUp();
    assertEquals(await stateOf(anna), [2, 0]);
    await sql`select assignment.end_assignment(${two}, ${anna})`;
    await signUp(2);
    assertEquals(await stateOf(anna), [2, 0]);
  });

  it("goes as often as there is one too many, also on statistics from when there was one", async () => {
    await setCapacity(sql, anna, 1);
    await sql`delete from assignment.seats where trainer_id <> ${anna}`;
    await sql`analyze assignment.seats`;
    await sql`insert into assignment.seats (trainer_id) select ${anna} from generate_series(1, 6)`;
    await setCapacity(sql, anna, 6);
    assertEquals(await stateOf(anna), [0, 6]);

    await sql`delete from assignment.seats where trainer_id = ${anna}`;
    await sql`insert into assignment.seats (trainer_id, is_overbooked) values (${anna}, true)`;
    await sql`analyze assignment.seats`;
    await sql`insert into assignment.seats (trainer_id, is_overbooked) select ${anna}, true from generate_series(1, 6)`;
    await sql`select assignment.give_back_seats(array[${anna}]::uuid[])`;
    assertEquals(await stateOf(anna), [0, -6]);
  });

  it("of a signup that has not committed counts when the capacity changes meanwhile", async () => {
    const other = database.newConnection();
    for (const [capacity, clients] of [[1, 2], [0, 3], [6, 4]] as const) {
      await other.begin(async (transaction) => {
        await transaction`insert into public.members (id) select unnest(${newIds(clients - 1)}::uuid[])`;
        await setCapacity(sql, anna, capacity);
      });
      const [now, room] = await stateOf(anna);
      assertEquals(room, capacity - now);
    }
  });

  it("is refused by hand when there is none; an admin's force goes beyond, and must be worked off", async () => {
    const [first = ""] = await signUp(3);
    const [late = ""] = await signUp();
    const error = await assertRejects(
      () => sql`select assignment.assign_member(${late}, ${anna})`,
      postgres.PostgresError,
    );
    assertEquals(error.code, "TA011");
    await sql`select assignment.assign_member(${late}, ${anna}, p_by_force => true)`;
    assertEquals(await stateOf(anna), [4, -1]);

    await sql`select assignment.end_assignment(${first}, ${anna})`;
    await signUp();
    assertEquals(await stateOf(anna), [3, 0]);
  });

  it("is not asked for by an assignment that stands already", async () => {
    const [first = ""] = await signUp(3);
    for (const byForce of [false, true]) {
      const [row] = await sql`
        select assigned from assignment.assign_member(${first}, ${anna}, p_by_force => ${byForce})
      `;
      assertEquals(row, { assigned: false });
    }
    assertEquals(await stateOf(anna), [3, 0]);
  });

  it("is not lost when the assignment that took it is refused", async () => {
    await sql.unsafe(`
      create function public.refuse() returns trigger language plpgsql as $$ begin raise 'no'; end; $$;
      create trigger refuse before insert on public.trainer_client_assignments for each row execute function public.refuse();
    `);
    await signUp(2);
    assertEquals([await stateOf(anna), await countFailures(sql)], [[0, 3], 2]);
  });

  const drifts: Record<string, [drift: () => Promise<unknown>, repaired: number]> = {
    "truncate": [() => sql`truncate public.trainer_client_assignments cascade`, 2],
    "a delete that fires no trigger": [
      () => withoutTrigger(sql, (transaction) => transaction`delete from public.trainer_client_assignments`),
      2,
    ],
    "an assignment that somebody inserts past the service": [
      () =>
        sql`insert into public.trainer_client_assignments (trainer_id, client_id) values (${anna}, ${ben})`,
      1,
    ],
    "lost seats": [() => sql`delete from assignment.seats where trainer_id = ${anna}`, 1],
    "seats of nobody's": [
      () => sql`insert into assignment.seats (trainer_id) select ${anna} from generate_series(1, 4)`,
      4,
    ],
  };
  for (const [what, [drift, expected]] of Object.entries(drifts)) {
    it(`is put right by the nightly run after ${what}, which says by how many`, async () => {
      await signUp(2);
      assertEquals(await reconcile(), 0);
      await drift();
      await sql`update assignment.backfill_runs set status = 'cancelled', finished_at = now(), status_changed_by = 'test'`;
      assertEquals(await reconcile(), expected);
      const [clients, room] = await stateOf(anna);
      assertEquals(room, 3 - clients);
    });
  }

  it("is found by a signup whose snapshot is older, or its failure is recorded", async () => {
    const id = newId();
    await sql.begin("isolation level repeatable read", async (transaction) => {
      await transaction`select count(*) from public.members`;
      await signUp(3);
      await transaction`insert into public.members (id) values (${id})`;
    });
    await sql`update assignment.failures set next_attempt_at = now()`;
    await sql`select assignment.retry_failures()`;
    assertEquals([await stateOf(anna), await countFailures(sql)], [[3, 0], 0]);
    const rows = await sql`select trainer_id from public.trainer_client_assignments where client_id = ${id}`;
    assertEquals([...rows], [{ trainerId: DEFAULT_TRAINER_ID }]);
  });
});

class RollBack extends Error {}

function ignoreRollBack(error: unknown): void {
  if (!(error instanceof RollBack)) throw error;
}
