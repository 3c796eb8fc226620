import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import {
  assignClientToTrainer,
  assignNewUserToTrainer,
  DEFAULT_TRAINER_ID,
  endAssignment,
} from "../../../src/trainer_assignment.ts";
import { countAssignments, newId, newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";

describe("an assignment", () => {
  let database: TestDatabase;
  let pool: Sql; // fifty sessions
  let id: string;
  beforeAll(async () => {
    database = await testDatabase();
    pool = openDatabase(database.url, { max: 50, applicationName: "test" });
    await atOnce(() => pool`select pg_sleep(0.1)`); // long enough for each to open a session
  });
  afterAll(async () => {
    await closeDatabase(pool, 1);
    await database.drop();
  });
  beforeEach(async () => {
    id = newId();
    await withoutTrigger(database.sql, (tx) => tx`insert into public.members (id) values (${id})`);
  });

  it("is one row when fifty insert it at the same time", async () => {
    const outcomes = await atOnce(() =>
      pool`insert into public.trainer_client_assignments (trainer_id, client_id) values (${DEFAULT_TRAINER_ID}, ${id})`
        .then(
          () => "inserted",
          (error) => error instanceof postgres.PostgresError ? error.code : String(error),
        )
    );
    assertEquals(outcomes.toSorted(), [...Array(49).fill("23505"), "inserted"]);
    assertEquals(await countAssignments(database.sql, [id]), 1);
  });

  it("is one row, made once, when fifty assign at the same time", async () => {
    const results = await atOnce(() => assignClientToTrainer(pool, id));
    assertEquals(results.filter(({ assigned }) => assigned).length, 1);
    assertEquals(new Set(results.map(({ assignment }) => assignment.id)).size, 1);
    assertEquals(await countAssignments(database.sql, [id]), 1);
  });

  it("is one row when fifty programs assign the new user at the same time", async () => {
    const results = await atOnce(() => assignNewUserToTrainer(pool, id));
    const others = results.filter(({ assigned, failure }) => !assigned && failure?.sqlstate !== "55P03");
    assertEquals(others, []); // who waited 250 ms for the first is recorded and retried
    assertEquals(await countAssignments(database.sql, [id]), 1);
  });

  it("ends once when fifty end it at the same time", async () => {
    await assignClientToTrainer(database.sql, id);
    const outcomes = await atOnce(() =>
      endAssignment(pool, DEFAULT_TRAINER_ID, id)
        .then(() => "ended", (error) => error instanceof AppError ? error.code : String(error))
    );
    assertEquals(outcomes.toSorted(), [...Array(49).fill("assignment_not_found"), "ended"]);
  });

  it("is returned whole to a caller while others end it", async () => {
    const broken: unknown[] = [];
    await Promise.all(Array.from({ length: 20 }, async (_, worker) => {
      for (const _ of Array(30)) {
        if (worker % 2 === 0) {
          await endAssignment(pool, DEFAULT_TRAINER_ID, id).catch(() => {});
          continue;
        }
        const outcome = await assignClientToTrainer(pool, id)
          .catch((error) =>
            error instanceof AppError && error.details["sqlstate"] === "TA008" ? "ended" : error
          );
        if (outcome !== "ended" && !outcome.assignment?.id) broken.push(outcome);
      }
    }));
    assertEquals(broken, []);
  });

  it("of each of 2,000 members is made once, without a deadlock, when eight want them all in different orders", async () => {
    const ids = newIds(2_000);
    await withoutTrigger(
      database.sql,
      (tx) => tx`insert into public.members (id) select unnest(${ids}::uuid[])`,
    );
    const results = await Promise.all(Array.from({ length: 8 }, async (_, worker) => {
      const order = worker % 2 === 0 ? ids.toSorted() : ids.toSorted().reverse();
      const [result] = await pool<[{ successful: number; failed: number }]>`
        select successful, cardinality(failures) as failed
        from assignment.assign_to_trainer(
          row('first', 'manual', 'a test', ${DEFAULT_TRAINER_ID}::uuid, null, null, null, null, false)::assignment.request,
          ${order}::uuid[]
        )
      `;
      return result;
    }));
    assertEquals(results.reduce((sum, { successful }) => sum + successful, 0), 2_000);
    assertEquals(results.reduce((sum, { failed }) => sum + failed, 0), 0);
  });

  it("may be active once per pair, and ended any number of times", async () => {
    for (const status of ["inactive", "inactive", "active"]) {
      await database.sql`
        insert into public.trainer_client_assignments (trainer_id, client_id, status) values (${DEFAULT_TRAINER_ID}, ${id}, ${status})
      `;
    }
    await assertRejects(
      () =>
        database.sql`
          update public.trainer_client_assignments set status = 'active' where client_id = ${id} and status = 'inactive'
        `,
      postgres.PostgresError,
      "trainer_client_assignments_active_key",
    );
  });

  for (
    const [fact, columns, constraint] of [
      ["of a trainer to themself", { trainer_id: "client" }, "trainer_is_not_client"],
      ["of an unknown status", { status: "paused" }, "status_is_known"],
      ["of an unknown source", { source: "magic" }, "source_is_known"],
    ] as const
  ) {
    it(`${fact} is refused`, async () => {
      const row = { client_id: id, trainer_id: DEFAULT_TRAINER_ID, ...columns };
      if (row.trainer_id === "client") row.trainer_id = id;
      await assertRejects(
        () => database.sql`insert into public.trainer_client_assignments ${database.sql(row)}`,
        postgres.PostgresError,
        constraint,
      );
    });
  }
});

async function atOnce<T>(work: () => PromiseLike<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: 50 }, work));
}
