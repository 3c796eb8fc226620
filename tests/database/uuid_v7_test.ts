import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

describe("assignment.uuid_v7", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  async function make(count: number): Promise<string[]> {
    const rows = await database.sql<{ id: string }[]>`
      select assignment.uuid_v7() as id from generate_series(1, ${count}::integer)
    `;
    return rows.map(({ id }) => id);
  }

  it("carries version 7 and the RFC's variant", async () => {
    for (const id of await make(1_000)) {
      assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it("begins with the milliseconds since 1970", async () => {
    const before = Date.now();
    const [id] = await make(1);
    const milliseconds = parseInt((id ?? "").replaceAll("-", "").slice(0, 12), 16);
    assertLess(Math.abs(milliseconds - before), 60_000);
  });

  it("never makes the same twice", async () => {
    const ids = await make(100_000);
    assertEquals(new Set(ids).size, ids.length);
  });

  it("sorts by the time it was made", async () => {
    const ids: string[] = [];
    for (const _ of Array(500)) ids.push(...await make(1));
    assertEquals(ids.toSorted(), ids);
  });
});
