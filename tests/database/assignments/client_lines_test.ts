import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { streamTrainerClientLines, streamTrainerClients } from "../../../src/assignments/client_export.ts";
import { readFrom } from "../../../src/database/read_replica.ts";
import { type ClientLines, selectClientLines } from "../../../src/assignments/client_lines.ts";
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

describe("clients as lines", () => {
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
        if (notes === "") await endAssignment(sql, DEFAULT_TRAINER_ID, id, { actor: 'jwt:"é\\"' });
        if (notes === "null") {
          await sql`
            update public.trainer_client_assignments
            set assigned_by = ${"\t😀"}, policy_version = 12, rule = 3
            where client_id = ${id}
          `;
        }
      }
    }
    await sql.unsafe(`alter database ${database.name} set timezone = 'Asia/Kolkata'`);
    await sql.unsafe(`alter database ${database.name} set datestyle = 'SQL, DMY'`);
  });
  afterAll(() => database.drop());

  it("are the same as clients as rows, whatever the session's time zone and date style", async () => {
    const session = database.newConnection();
    for (const status of ["active", "inactive", "all"] as const) {
      const rows = await getTrainerClients(database.sql, DEFAULT_TRAINER_ID, { limit: 1000, status });
      const lines = await selectClientLines(session, DEFAULT_TRAINER_ID, { limit: 1000, status });
      assertEquals(toText(lines), rows.map((row) => JSON.stringify(row) + "\n").join(""));
      assertEquals(lines.clients, { active: 24, inactive: 4, all: 28 }[status]);
      assertEquals(lines.last, rows.at(-1)?.assignmentId);
    }
  });

  it("have the same pages as rows", async () => {
    const all = toText(await selectClientLines(database.sql, DEFAULT_TRAINER_ID, { limit: 1000 })).split(
      "\n",
    );
    const { last: after } = await selectClientLines(database.sql, DEFAULT_TRAINER_ID, { limit: 10 });
    const next = await selectClientLines(database.sql, DEFAULT_TRAINER_ID, { limit: 7, after });
    assertEquals(toText(next).split("\n"), [...all.slice(10, 17), ""]);
  });

  it("are exported whole and in the same order, several exports at once", async () => {
    await database
      .sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 4500)`;
    const rows = (await Array.fromAsync(streamTrainerClients(readFrom(database.sql), DEFAULT_TRAINER_ID)))
      .flat();
    assertEquals(rows.length, 4524);
    const exports = await Promise.all(
      Array.from(
        { length: 4 },
        () => Array.fromAsync(streamTrainerClientLines(readFrom(database.sql), DEFAULT_TRAINER_ID), toText),
      ),
    );
    for (const texts of exports) {
      assertEquals(texts.join(""), rows.map((row) => JSON.stringify(row) + "\n").join(""));
    }
  });

  it("are empty for a trainer without clients", async () => {
    const [id = ""] = newIds(1);
    await database.sql`insert into public.members (id) values (${id})`;
    assertEquals(await selectClientLines(database.sql, id, { limit: 7 }), {
      clients: 0,
      bytes: new Uint8Array(),
      last: undefined,
    });
  });
});

function toText({ bytes }: ClientLines): string {
  return new TextDecoder().decode(bytes);
}
