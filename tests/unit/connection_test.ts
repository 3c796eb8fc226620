import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

describe("database connection", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase({ migrated: false });
  });
  afterAll(() => database.drop());

  it("names columns in camelCase", async () => {
    const rows = await database.sql`select 1 as client_id`;
    assertEquals([...rows], [{ clientId: 1 }]);
  });

  it("reads bigint as a number and timestamptz as a Date", async () => {
    const [row] = await database
      .sql`select 9007199254740991 as big, count(*) as count, timestamptz '2026-01-02 03:04:05Z' as at`;
    assertEquals(row, { big: 9007199254740991, count: 1, at: new Date("2026-01-02T03:04:05Z") });
  });

  it("sends and reads arrays unchanged", async () => {
    const ids = ["d18a21c8-be77-496f-a2fd-ec6479ecba6d"];
    const texts = ['quote " backslash \\', "comma, {brace}", "NULL", "", "line\nbreak", null];
    const [row] = await database.sql`
      select ${ids}::uuid[] as ids, ${texts}::text[] as texts, ${[
      1,
      2,
    ]}::bigint[] as numbers, ${[]}::text[] as empty,
        ${database.sql.array([true, false], 1000)} as flags, ${
      database.sql.array([new Date(0)], 1185)
    } as dates
    `;
    assertEquals(row, { ids, texts, numbers: [1, 2], empty: [], flags: [true, false], dates: [new Date(0)] });
  });

  it("shows its name to an operator", async () => {
    const [row] = await database.sql`select current_setting('application_name') as name`;
    assertEquals(row, { name: "test" });
  });

  it("connects again after its connection was cut", async () => {
    const session = database.newConnection();
    const [backend] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await database.sql`select pg_terminate_backend(${backend?.pid ?? 0}, 5000)`;
    await session`select 1`.catch(() => {}); // may meet the cut connection
    const rows = await session`select 1 as one`;
    assertEquals([...rows], [{ one: 1 }]);
  });

  it("rejects when there is no server", async () => {
    const sql = openDatabase("postgres://nobody@127.0.0.1:1/none", { max: 1, applicationName: "test" });
    await assertRejects(() => sql`select 1`, Error, "ECONNREFUSED");
    await closeDatabase(sql);
  });
});
