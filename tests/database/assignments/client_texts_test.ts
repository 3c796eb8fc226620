import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { streamTrainerClients, streamTrainerClientTexts } from "../../../src/client_export.ts";
import { selectClientTexts } from "../../../src/client_texts.ts";
import { DEFAULT_TRAINER_ID, endAssignment, getTrainerClients } from "../../../src/trainer_assignment.ts";
import { newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

const NOTES = [
  null,
  "",
  "null",
  'she said "no"',
  "two\nlines\r\n\ttab \\ \\n",
  '"assignmentDate":"x"',
  "\u2028 é 😀 \u0001",
];
const DATES = [
  "2026-11-24 00:21:12+00",
  "2026-11-24 00:21:12.1+00",
  "2026-11-24 00:21:12.123456+00",
  "2024-02-29 23:59:59.999999+14",
];

describe("clients as text", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    const { sql } = database;
    for (const notes of NOTES) {
      for (const date of DATES) {
        const [id = ""] = newIds(1);
        await sql`insert into public.members (id) values (${id})`;
        await sql`
          update public.trainer_client_assignments
          set notes = ${notes}, assignment_date = ${date}::text::timestamptz
          where client_id = ${id}
        `;
        if (notes === "") await endAssignment(sql, DEFAULT_TRAINER_ID, id);
      }
    }
    await sql.unsafe(`alter database ${database.name} set timezone = 'Asia/Kolkata'`);
    await sql.unsafe(`alter database ${database.name} set datestyle = 'SQL, DMY'`);
  });
  afterAll(() => database.drop());

  it("are the same as clients as rows, whatever the session's time zone and date style", async () => {
    const session = database.newConnection();
    for (const status of ["active", "inactive"] as const) {
      const rows = await getTrainerClients(database.sql, DEFAULT_TRAINER_ID, { limit: 1000, status });
      const texts = await selectClientTexts(session, DEFAULT_TRAINER_ID, { limit: 1000, status });
      assertEquals(texts.map(({ json }) => json), rows.map((row) => JSON.stringify(row)));
      assertEquals(texts.length, status === "active" ? 24 : 4);
    }
  });

  it("page as rows do", async () => {
    const texts = await selectClientTexts(database.sql, DEFAULT_TRAINER_ID, { limit: 1000 });
    const after = texts[9]?.assignmentId;
    assertEquals(
      await selectClientTexts(database.sql, DEFAULT_TRAINER_ID, { limit: 7, after }),
      texts.slice(10, 17),
    );
  });

  it("are exported whole and in the same order", async () => {
    await database
      .sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 4500)`;
    const rows = (await Array.fromAsync(streamTrainerClients(database.sql, DEFAULT_TRAINER_ID))).flat();
    const texts = (await Array.fromAsync(streamTrainerClientTexts(database.sql, DEFAULT_TRAINER_ID))).flat();
    assertEquals(texts.map(({ json }) => json), rows.map((row) => JSON.stringify(row)));
    assertEquals(rows.length, 4524);
  });
});
