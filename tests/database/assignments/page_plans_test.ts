import { assertEquals, assertLess } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { selectClientLines } from "../../../src/assignments/client_lines.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newIds } from "../../support/assignments.ts";
import { countRowsRead, setStorage } from "../../support/assignments_table.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

const MEMBERS = 20_000;
const ROWS = 101;
/** The server decides after five executions whether it keeps a plan. */
const OFTEN = 8;

describe("pages of a trainer's clients, read often", () => {
  let database: TestDatabase;
  let session: Sql;
  const [nobodysTrainer = ""] = newIds(1);
  beforeAll(async () => {
    database = await testDatabase();
    const { sql } = database;
    // Large enough to keep plans for: a page of the table has few rows.
    await setStorage(sql, "autovacuum_enabled = off, fillfactor = 10");
    session = database.newConnection(); // one session: what it read is its own to tell
    await readOften(DEFAULT_TRAINER_ID); // a plan kept from when the table was empty
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${MEMBERS}::int)`;
    await sql`insert into public.members (id) values (${nobodysTrainer})`;
    await sql`delete from public.trainer_client_assignments where client_id = ${nobodysTrainer}`;
  });
  afterAll(() => database.drop());

  for (const statistics of ["before the table is analyzed", "where all clients are one trainer's"]) {
    it(`cost their rows alone ${statistics}`, async () => {
      if (statistics !== "before the table is analyzed") {
        await database.sql`analyze public.trainer_client_assignments`;
      }
      const [late] = await session<[{ id: string }]>`
        select id from public.trainer_client_assignments order by id offset ${MEMBERS * 0.9} limit 1
      `;
      for (const status of ["active", "inactive", "all"] as const) {
        for (const after of [undefined, late.id]) {
          const clients = await readOften(DEFAULT_TRAINER_ID, { status, after });
          assertEquals(clients, status === "inactive" ? 0 : ROWS);
          assertEquals(await readOften(nobodysTrainer, { status, after }), 0);
        }
      }
    });
  }

  it("are planned once for all", async () => {
    const [{ kept }] = await session<[{ kept: number }]>`
      select count(*)::int as kept
      from pg_prepared_statements
      where statement like '%string_agg%' and generic_plans >= ${OFTEN}
    `;
    assertEquals(kept, 6); // three statuses, from the beginning and from a cursor
  });

  /** Returns how many clients the page has, and fails when it reads other rows. */
  async function readOften(
    trainerId: string,
    page: { status?: "active" | "inactive" | "all"; after?: string | undefined } = {},
  ): Promise<number> {
    let clients = 0;
    for (let time = 0; time < OFTEN; time++) {
      const before = await countRowsRead(session);
      ({ clients } = await selectClientLines(session, trainerId, { ...page, limit: ROWS }));
      assertLess(await countRowsRead(session) - before, ROWS + 20);
    }
    return clients;
  }
});
