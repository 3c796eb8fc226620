/** Attributes that assignment.watch mirrors into members, for rules to ask. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../src/database/sql.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { newId } from "../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { withoutTrigger } from "../support/members.ts";
import { warningsOf } from "../support/notices.ts";
import { addTrainers, among, putRules } from "../support/policies.ts";

describe("a watched table's attributes", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    await sql.unsafe(`
      create schema auth;
      create table auth.users (id uuid primary key default gen_random_uuid(), email text, raw_user_meta_data jsonb, seen_at timestamptz);
    `);
  });
  afterEach(() => database.drop());

  const watch = (attributes = "{email,raw_user_meta_data}") =>
    sql`select assignment.watch('auth.users', 'id', attributes => ${attributes}::text::name[])`;

  async function attributesOf(id: string): Promise<unknown> {
    // As text, because the driver renames the keys of jsonb.
    const [row] = await sql<{ attributes: string }[]>`
      select attributes::text from public.members where id = ${id}
    `;
    return JSON.parse(row?.attributes ?? "null");
  }

  async function addUser(email = "a@example.com", data: unknown = { plan: "pro" }): Promise<string> {
    const id = newId();
    await sql`insert into auth.users (id, email, raw_user_meta_data) values (${id}, ${email}, ${
      sql.json(data as never)
    })`;
    return id;
  }

  const stateOf = async () => [
    ...await sql<{ state: string; attributes: string[]; remedy: string | null }[]>`
      select state, attributes::text[] as attributes, remedy from assignment.watched_state
    `,
  ];

  it("can be asked by the rules when their member signs up", async () => {
    await watch();
    const [trainerId = ""] = await addTrainers(sql, 1);
    await putRules(sql, [{
      name: "Pro",
      when: {
        all: [
          { field: "attributes.raw_user_meta_data.plan", op: "eq", value: "pro" },
          { field: "attributes.email", op: "contains", value: "@example." },
        ],
      },
      assign: among("spread", [trainerId]),
    }]);
    const [pro, basic] = [await addUser(), await addUser("b@example.com", { plan: "basic" })];
    const rows = await sql`
      select client_id as id, rule from public.trainer_client_assignments where client_id in (${pro}, ${basic})
    `;
    assertEquals(Object.fromEntries(rows.map(({ id, rule }) => [id, rule])), { [pro]: 1, [basic]: null });
  });

  it("are mirrored for those who were there before, and shown in watched_state", async () => {
    const id = await addUser();
    await watch();
    assertEquals(await attributesOf(id), { email: "a@example.com", raw_user_meta_data: { plan: "pro" } });
    assertEquals(await stateOf(), [{
      state: "watched",
      attributes: ["email", "raw_user_meta_data"],
      remedy: null,
    }]);
    assertEquals((await checkHealth(sql)).status, "ready");
  });

  it("follow an update, and other keys of the application stay", async () => {
    await watch();
    const id = await addUser();
    await sql`update public.members set attributes = attributes || '{"own": 1}' where id = ${id}`;
    await sql`update auth.users set email = 'new@example.com', raw_user_meta_data = null where id = ${id}`;
    assertEquals(await attributesOf(id), { email: "new@example.com", raw_user_meta_data: null, own: 1 });
  });

  it("reach a member who was there before their row", async () => {
    await watch();
    const id = newId();
    await sql`insert into public.members (id) values (${id})`;
    await sql`insert into auth.users (id, email) values (${id}, 'late@example.com')`;
    assertEquals(await attributesOf(id), { email: "late@example.com", raw_user_meta_data: null });
  });

  it("do not write a member whose attributes stay the same", async () => {
    await watch();
    const id = await addUser();
    const version =
      async () => [...await sql`select xmin::text, ctid::text from public.members where id = ${id}`];
    const before = await version();
    await sql`update auth.users set seen_at = now()`;
    assertEquals(await version(), before);
  });

  for (const by of ["a reconciliation", "watching again"]) {
    it(`that were missed are mirrored by ${by}`, async () => {
      await watch();
      const id = await addUser();
      await withoutTrigger(
        sql,
        (tx) => tx`update auth.users set email = 'missed@example.com' where id = ${id}`,
      );
      if (by === "watching again") await sql`select assignment.watch('auth.users', 'id')`;
      else await sql`select assignment.reconcile(now())`;
      assertEquals(await attributesOf(id), {
        email: "missed@example.com",
        raw_user_meta_data: { plan: "pro" },
      });
    });
  }

  it("never make the application's statement fail", async () => {
    await watch();
    const id = await addUser();
    await sql.unsafe(
      `alter table public.members add constraint no_change check (attributes ->> 'email' <> 'refused') not valid`,
    );
    const warnings = await warningsOf(
      database.url,
      `update auth.users set email = 'refused' where id = '${id}'`,
    );
    assertMatch(warnings.join("\n"), /rows of auth\.users are not mirrored.*no_change/);
    assertEquals([...await sql`select email from auth.users`], [{ email: "refused" }]);
    const late = newId();
    await sql.unsafe(
      `alter table public.members drop column attributes; insert into auth.users (id) values ('${late}')`,
    );
    assertEquals((await sql`select from public.members where id = ${late}`).length, 1);
  });

  it("can hold times in UTC and json that jsonb cannot", async () => {
    await sql.unsafe("alter table auth.users add column odd json");
    await watch("{seen_at,odd}");
    const id = newId();
    const session = database.newConnection();
    await session`set timezone = 'Pacific/Chatham'`;
    await session.unsafe(String.raw`
      insert into auth.users (id, seen_at, odd) values ('${id}', '2026-01-01 00:00+00', '{"a": "\u0000"}')
    `);
    assertEquals(await attributesOf(id), { seen_at: "2026-01-01T00:00:00+00:00", odd: { a: "\ufffd" } });
  });

  it("that are no longer watched go, and the others stay", async () => {
    await watch();
    const id = await addUser();
    await watch("{email}");
    assertEquals(await attributesOf(id), { email: "a@example.com" });
    await watch("{}");
    assertEquals(await attributesOf(id), {});
    await sql`update auth.users set email = 'unseen@example.com'`;
    assertEquals(await attributesOf(id), {});
  });

  for (
    const [what, statement] of [
      ["whose column is renamed", "alter table auth.users rename column email to mail"],
      ["without members.attributes", "alter table public.members drop column attributes"],
    ] as const
  ) {
    it(`${what} are reported, and members go on`, async () => {
      await watch();
      await sql.unsafe(statement);
      await sql`insert into auth.users default values`;
      const [{ missed }] = await sql<[{ missed: number }]>`
        select count(*) as missed from auth.users u where not exists (select from public.members m where m.id = u.id)
      `;
      assertEquals([missed, (await stateOf())[0]?.state], [0, "attributes_missing"]);
      const { status, checks } = await checkHealth(sql);
      assertEquals(status, "degraded");
      assertMatch(
        checks.trigger.detail,
        /assignment\.watch\('auth\.users', 'id', attributes => '\{…\}'\)/,
      );
    });
  }

  it("need columns that exist, and a column members.attributes", async () => {
    const refused = async () =>
      (await assertRejects(() => watch("{no_such}"), postgres.PostgresError)).message;
    assertEquals(await refused(), "auth.users has no column no_such");
    await sql`alter table public.members drop column attributes`;
    const error = await assertRejects(() => watch(), postgres.PostgresError);
    assertEquals(error.hint, "Run: alter table public.members add column attributes jsonb;");
    assertEquals((await stateOf()).length, 0);
  });

  it("stop with unwatch", async () => {
    await watch();
    const id = await addUser();
    await sql`select assignment.unwatch('auth.users')`;
    await sql`update auth.users set email = 'unseen@example.com'`;
    assertEquals(await attributesOf(id), { email: "a@example.com", raw_user_meta_data: { plan: "pro" } });
  });
});
