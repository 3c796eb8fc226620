import { assertEquals, assertLessOrEqual } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { listMemberFields, listOps } from "../../../src/policy/member_fields.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("what a rule can ask of members", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await database.sql`
      create type public.level as enum ('low', 'high', 'top')
    `;
    await database.sql`
      alter table public.members
        add column plan text, add column level public.level, add column score integer, add column tags text[],
        add column secret text, add column profile jsonb
    `;
    await database.sql`
      insert into public.members (plan, level, score, tags, secret, profile)
      select
        (array['pro', 'pro', 'basic'])[1 + n % 3], 'low', n % 2, array['a', 'b'], gen_random_uuid()::text,
        jsonb_build_object('language', 'de', 'address', jsonb_build_object('city', 'Graz'), 'isStaff', n % 2 = 0)
      from generate_series(1, 30) as n
    `;
  });
  afterEach(() => database.drop());

  it("is each column, and the fields inside a json column, with frequent values", async () => {
    const fields = await listMemberFields(await database.newServicePool());
    const known = new Map(fields.map(({ field, kind, values }) => [field, { kind, values }]));
    assertEquals(known.get("plan"), { kind: "text", values: ["pro", "basic"] });
    assertEquals(known.get("level"), { kind: "enum", values: ["low", "high", "top"] });
    assertEquals(known.get("score"), { kind: "number", values: [0, 1] });
    assertEquals(known.get("tags"), { kind: "array", values: ["a", "b"] });
    assertEquals(known.get("profile.language"), { kind: "json", values: ["de"] });
    assertEquals(known.get("profile.address.city"), { kind: "json", values: ["Graz"] });
    assertEquals(known.get("profile.isStaff"), { kind: "json", values: [false, true] });
  });

  it("has no value that only one member has", async () => {
    const fields = await listMemberFields(await database.newServicePool());
    assertEquals(fields.find(({ field }) => field === "secret")?.values, []);
    assertEquals(fields.find(({ field }) => field === "id")?.values, []);
  });

  it("asks for the kind of a column's type a few times, however many members it looks at", async () => {
    await database.sql`
      insert into public.members (plan, profile) select 'basic', '{"language": "de"}' from generate_series(1, 2000)
    `;
    const session = database.newConnection();
    await session`set track_functions = 'all'`;
    await session`select from assignment.list_member_fields()`;
    await session`select pg_stat_force_next_flush()`;
    const [row] = await session<[{ calls: number }]>`
      select calls from pg_stat_user_functions where funcname = 'type_kind'
    `;
    assertLessOrEqual(row.calls, 3 * 9); // of nine columns: each one's own, and an array's elements
  });

  it("is found without reading the whole table", async () => {
    const { sql } = database;
    await sql`insert into public.members (plan) select 'basic' from generate_series(1, 30000)`;
    await sql`analyze public.members`;
    await sql`select pg_stat_force_next_flush()`;
    const read = async () => {
      await sql`select pg_stat_clear_snapshot()`;
      const [row] = await sql<[{ read: number }]>`
        select seq_tup_read as read from pg_stat_user_tables where relid = 'public.members'::regclass
      `;
      return row.read;
    };
    const before = await read();
    const fields = await sql.begin(async (transaction) => {
      const found = await transaction`select * from assignment.list_member_fields()`;
      return found.length;
    });
    await sql`select pg_stat_force_next_flush()`;
    assertEquals(fields > 8, true);
    assertEquals(await read() - before <= 6000, true);
  });

  it("can be asked what find_leaf_problem lets pass", async () => {
    const { sql } = database;
    for (const { field, kind, valueKind } of await listMemberFields(sql)) {
      const value = valueKind === "number" ? 1 : valueKind === "enum" ? "low" : VALUES[valueKind] ?? "a";
      for (const op of listOps(kind)) {
        const asked = ["in", "not_in"].includes(op) ? [value] : value;
        const leaf = { field, op, ...(["exists", "missing"].includes(op) ? {} : { value: asked }) };
        const [problem] = await sql`
          select detail from assignment.find_leaf_problem(${JSON.stringify(leaf)}::text::jsonb)
        `;
        assertEquals({ leaf, detail: problem?.detail }, { leaf, detail: null });
      }
    }
  });
});

const VALUES: Record<string, string> = {
  uuid: "d18a21c8-be77-496f-a2fd-ec6479ecba6d",
  timestamptz: "2026-01-01T00:00:00Z",
};
