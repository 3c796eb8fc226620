import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("a transaction that began before an assignment was made", () => {
  let database: TestDatabase;
  beforeAll(async () => database = await testDatabase());
  afterAll(() => database.drop());

  const ways = {
    "by hand":
      "select assignment.end_assignment(client_id, trainer_id) from public.trainer_client_assignments",
    "past the service": "update public.trainer_client_assignments set status = 'inactive'",
  };
  for (const [way, end] of Object.entries(ways)) {
    it(`ends it ${way} no earlier than it began`, async () => {
      const { sql } = database;
      const [memberId = ""] = newIds(1);
      await sql.begin(async (earlier) => {
        await earlier`select now()`;
        await sql`insert into public.members (id) values (${memberId})`;
        await earlier.unsafe(
          `${end} where client_id = '${memberId}' and trainer_id = '${DEFAULT_TRAINER_ID}'`,
        );
      });
      const [row] = await sql<[{ status: string; isInOrder: boolean }]>`
        select status, ended_at >= assignment_date as is_in_order
        from public.trainer_client_assignments
        where client_id = ${memberId}
      `;
      assertEquals(row, { status: "inactive", isInOrder: true });
    });
  }
});
