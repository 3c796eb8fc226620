/** The rows that rules see: the same in the trigger as in a later run, whoever inserted them and with which settings. */
import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import type { Condition } from "../../../src/policy/condition.ts";
import { countFailures, newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { putRules } from "../../support/policies.ts";

describe("a rule sees in a new member's row", () => {
  let database: TestDatabase;
  let sql: Sql;
  let trainerId: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.newConnection();
    trainerId = newId();
    await sql`insert into public.members (id) values (${trainerId})`;
  });
  afterEach(() => database.drop());

  async function assertTrained(name: string): Promise<void> {
    const rows = await database.sql`
      select a.trainer_id, a.rule, a.source
      from public.trainer_client_assignments a
      join public.members m on m.id = a.client_id
      where m.display_name = ${name}
    `;
    assertEquals([...rows], [{ trainerId, rule: 1, source: "trigger" }]);
    const [decision] = await database.sql<[{ matches: boolean }]>`
      select (assignment.explain_decision(id) #>> '{rules,0,matches}')::boolean as matches
      from public.members
      where display_name = ${name}
    `;
    assertEquals(decision.matches, true);
    assertEquals(await countFailures(database.sql), 0);
  }

  const put = (when: Condition) =>
    putRules(sql, [{ name: "The rule", when, assign: { choose: "spread", trainers: [{ trainerId }] } }]);

  it("times in UTC and numbers as they are, whatever the session's settings", async () => {
    await sql`alter table public.members add column seen_at timestamptz, add column seen_on date, add column score float8`;
    await put({
      all: [
        { field: "seen_at", op: "eq", value: "2026-01-01T00:00:00Z" },
        { field: "seen_on", op: "eq", value: "2026-01-02" },
        { field: "score", op: "eq", value: 0.1234567890123 },
      ],
    });
    const settings = () =>
      sql`select current_setting('timezone') as zone, current_setting('extra_float_digits') as digits`;
    await sql.unsafe(
      "set timezone = 'Pacific/Chatham'; set datestyle = 'German'; set extra_float_digits = -15",
    );
    const before = await settings();
    await sql.unsafe(`
      insert into public.members (display_name, seen_at, seen_on, score)
      values ('new', '2026-01-01 13:45', '02.01.2026', 0.1234567890123)
    `);
    assertEquals(await settings(), before);
    await assertTrained("new");
  });

  it("a generated column's value, of a virtual one too", async () => {
    const kind = Number(Deno.env.get("TEST_POSTGRES_VERSION")) >= 18 ? "virtual" : "stored";
    await sql.unsafe(`
      alter table public.members add column age integer,
        add column is_adult boolean generated always as (age >= 18) ${kind}
    `);
    await put({ field: "is_adult", op: "eq", value: true });
    await sql`insert into public.members (display_name, age) values ('new', 20)`;
    await assertTrained("new");
  });

  it("a json value with characters that PostgreSQL cannot keep, which fails nobody beside it", async () => {
    await sql`alter table public.members add column profile json`;
    await put({ field: "profile.language", op: "eq", value: "de" });
    await sql.unsafe(String.raw`
      insert into public.members (display_name, profile)
      values ('odd', '{"language": "de", "note": "\u0000 \ud800"}'), ('plain', '{"language": "de"}')
    `);
    await assertTrained("odd");
    await assertTrained("plain");
  });

  it("what a trigger of the application changed before the insert", async () => {
    await sql.unsafe(`
      create function public.fill_in() returns trigger language plpgsql as $$ begin new.email := lower(new.email); return new; end $$;
      create trigger fill_in before insert on public.members for each row execute function public.fill_in();
    `);
    await put({ field: "email", op: "eq", value: "a@example.com" });
    await sql`insert into public.members (display_name, email) values ('new', 'A@Example.com')`;
    await assertTrained("new");
  });

  it("nothing of members who are alike but in what the rule asks", async () => {
    await sql`alter table public.members add column profile jsonb`;
    await put({ field: "profile.items.name", op: "eq", value: "x" });
    await sql.unsafe(`
      insert into public.members (id, display_name, profile) values
        ('00000000-0000-4000-8000-000000000001', 'other', '{"items": [{"name": "y"}]}'),
        ('00000000-0000-4000-8000-000000000002', 'new', '{"items": [{"name": "x"}]}')
    `);
    await assertTrained("new");
  });
});
