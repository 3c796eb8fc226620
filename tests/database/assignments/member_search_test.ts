import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { findMembers } from "../../../src/assignments/member_lookup.ts";
import { searchMembers } from "../../../src/assignments/member_search.ts";
import type { MemberColumns } from "../../../src/config/member_columns.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

const EMOJI = "Emma 💰🦄 Gold";

describe("the search for members", () => {
  let database: TestDatabase;
  let service: Sql;
  beforeAll(async () => {
    database = await testDatabase();
    service = await database.newServicePool();
    await database.sql`
      insert into public.members (id, email, display_name) values
        ('0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a', 'anna@example.com', 'Anna Berg'),
        ('0195d3a1-6c1f-7c11-8e44-0b9a8d7c6e5f', 'Zoe@Example.com', 'ZOË Élan'),
        ('11111111-1111-4111-8111-111111111111', 'h.annasson@example.com', 'Hans Annasson'),
        ('22222222-2222-4222-8222-222222222222', null, '100% _real_ \\back'),
        ('33333333-3333-4333-8333-333333333333', null, null),
        ('44444444-4444-4444-8444-444444444444', 'emma@example.com', ${EMOJI}),
        ('55555555-5555-4555-8555-555555555555', 'li@example.com', '李雷'),
        ('66666666-6666-4666-8666-666666666666', 'o@example.com', 'Sean O''Neil; drop table members')
    `;
  });
  afterAll(() => database.drop());

  const find = async (text: string, limit = 20) => {
    const { members } = await searchMembers({ sql: service }, text, limit);
    return members.map(({ name, email }) => name ?? email);
  };

  it("finds a part of the name or the e-mail, the best matches first", async () => {
    assertEquals(await find("anna"), ["Anna Berg", "Hans Annasson"]);
    assertEquals(await find("anna@example.com"), ["Anna Berg"]);
    assertEquals(await find("annasson@"), ["Hans Annasson"]);
    assertEquals(await find("Anna Berg"), ["Anna Berg"]);
    assertEquals(await find("nobody at all"), []);
  });

  it("ignores case, of other letters than ASCII too", async () => {
    for (const text of ["zoë", "ZOË", "Zoë", "élan", "ÉLAN", "zoe@EXAMPLE"]) {
      assertEquals(await find(text), ["ZOË Élan"], text);
    }
  });

  it("takes the text literally", async () => {
    for (const text of ["100%", "_real_", "\\back", "% _"]) {
      assertEquals(await find(text), ["100% _real_ \\back"], text);
    }
    for (const text of ["%", "_", "\\"]) assertEquals((await find(text)).length, 1, text);
    assertEquals(await find("'; drop"), []);
    assertEquals(await find("o'neil; DROP"), ["Sean O'Neil; drop table members"]);
  });

  it("finds emoji and short names of other scripts", async () => {
    assertEquals(await find("💰"), [EMOJI]);
    assertEquals(await find("🦄 gold"), [EMOJI]);
    assertEquals(await find("李"), ["李雷"]);
    assertEquals(await find("李雷"), ["李雷"]);
  });

  it("finds an id by all of it or its beginning", async () => {
    for (
      const text of [
        "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a",
        "0195D3A1-6C1E",
        "0195d3a16c1e7b529c0a5f1d2e3c4b5a",
        "0195d3a16c1e7",
      ]
    ) {
      assertEquals(await find(text), ["Anna Berg"], text);
    }
    assertEquals(await find("0195d3a1"), ["Anna Berg", "ZOË Élan"]);
    assertEquals((await searchMembers({ sql: service }, "33333333", 5)).members, [
      { id: "33333333-3333-4333-8333-333333333333", name: null, email: null },
    ]);
  });

  it("says that there are more matches than the limit", async () => {
    const { members, more, partial } = await searchMembers({ sql: service }, "example.com", 2);
    assertEquals([members.length, more, partial], [2, true, false]);
  });

  for (
    const [what, statement, name] of [
      ["a name that needs quotes", `add column "Full.Name "" of ä" text`, `Full.Name " of ä`],
      ["a reserved word", `add column "user" varchar(100)`, "user"],
      ["a number", "add column number integer", "number"],
      ["json", "add column profile jsonb", "profile"],
      ["a domain", "add column of_domain public.short_text", "of_domain"],
      ["an enum", "add column of_enum public.some_names", "of_enum"],
      [
        "a collation that ignores case",
        `add column folded text collate public.ignores_case`,
        "folded",
      ],
    ] as const
  ) {
    it(`reads ${what} as text`, async () => {
      const { sql } = database;
      await sql.unsafe(`
        create domain public.short_text as text;
        create type public.some_names as enum ('42 of 42');
        create collation public.ignores_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        alter table public.members ${statement};
      `);
      try {
        const memberColumns: MemberColumns = { name: { column: name, isRequired: true }, email: null };
        const quoted = sql.unsafe(`"${name.replaceAll('"', '""')}"`);
        const value = what === "a number" ? "42" : what === "json" ? '{"a": "42 of 42"}' : "42 of 42";
        await sql`update public.members set ${quoted} = ${
          sql.unsafe(`'${value}'`)
        } where display_name = 'Anna Berg'`;
        await sql`select assignment.grant_service(${await roleOf(service)}, array[${name}]::name[])`;
        const source = { sql: service, memberColumns };
        const { members } = await searchMembers(source, "42", 20);
        assertEquals(members, [{ id: "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a", name: value, email: null }]);
        assertEquals(await findMembers(source, [members[0]?.id ?? ""]), members);
      } finally {
        await sql.unsafe(`
          alter table public.members drop column ${`"${name.replaceAll('"', '""')}"`};
          drop domain public.short_text;
          drop type public.some_names;
          drop collation public.ignores_case;
        `);
      }
    });
  }

  it("reads a generated column, virtual where the server has such", async () => {
    const { sql } = database;
    const [{ isVirtual }] = await sql<[{ isVirtual: boolean }]>`
      select current_setting('server_version_num')::integer >= 180000 as is_virtual
    `;
    await sql.unsafe(`
      alter table public.members add column full_name text
        generated always as (coalesce(display_name, '') || ' of ' || coalesce(email, 'nowhere')) ${
      isVirtual ? "virtual" : "stored"
    };
    `);
    await sql`select assignment.grant_service(${await roleOf(service)}, '{full_name}')`;
    const memberColumns: MemberColumns = { name: { column: "full_name", isRequired: true }, email: null };
    const { members } = await searchMembers({ sql: service, memberColumns }, "berg of anna@", 20);
    assertEquals(members.map(({ name }) => name), ["Anna Berg of anna@example.com"]);
    await sql`alter table public.members drop column full_name`;
  });

  it("says that it is partial, and does not fail, while the table is locked or slow", async () => {
    await database.sql.begin(async (transaction) => {
      await transaction`lock table public.members in access exclusive mode`;
      const { members, partial } = await searchMembers({ sql: service }, "anna", 20);
      assertEquals([members, partial], [[], true]);
    });
  });

  it("finds ids alone where no column is to be read", async () => {
    const source = { sql: service, memberColumns: { name: null, email: null } };
    assertEquals(await searchMembers(source, "anna", 20), { members: [], partial: false, more: false });
    assertEquals((await searchMembers(source, "11111111", 20)).members, [
      { id: "11111111-1111-4111-8111-111111111111", name: null, email: null },
    ]);
  });

  it("finds ids alone where the columns are not there", async () => {
    const memberColumns: MemberColumns = { name: { column: "gone", isRequired: true }, email: null };
    const source = { sql: service, memberColumns };
    assertEquals((await searchMembers(source, "anna", 20)).members, []);
    assertEquals((await searchMembers(source, "11111111", 20)).members.length, 1);
  });
});

async function roleOf(sql: Sql): Promise<string> {
  const [row] = await sql<[{ role: string }]>`select current_user::text as role`;
  return row.role;
}
