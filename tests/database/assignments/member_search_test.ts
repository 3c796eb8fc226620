import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { z } from "zod";
import { findReadableColumns, type Fragment } from "../../../src/assignments/member_columns.ts";
import { findMembers, selectMembers } from "../../../src/assignments/member_lookup.ts";
import {
  LOOK_ROWS,
  searchMembers,
  selectAmongFirst,
  selectByTrigrams,
} from "../../../src/assignments/member_search.ts";
import type { MemberColumns } from "../../../src/config/member_columns.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";

const EMOJI = "Emma 💰🦄 Gold";

/** The parts of a plan that tests look at. */
const Plan = z.looseObject({
  "Node Type": z.string(),
  "Actual Rows": z.number(),
  "Index Name": z.string().optional(),
  get Plans() {
    return z.array(Plan).optional();
  },
});
type Plan = z.infer<typeof Plan>;

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

describe("the search in a large table", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    await withoutTrigger(database.sql, (transaction) =>
      transaction`
        insert into public.members (email, display_name)
        select 'member' || n || '@example.com', 'Member ' || md5(n::text)
        from generate_series(1, ${LOOK_ROWS + 10_000}::integer) as n
      `);
    await database.sql`
      insert into public.members (email, display_name) values ('last@example.com', 'Ümit the very last 李雷')
    `;
    await database.sql`create extension pg_trgm`;
    await database.sql`vacuum (analyze) public.members`;
  });
  afterAll(() => database.drop());

  // Whatever else the machine does: the time-outs have tests of their own.
  const search = (text: string) =>
    searchMembers({ sql: database.sql }, text, 20, { values: 10_000, trigrams: 10_000, look: 10_000 });
  const namesOf = async (text: string) => (await search(text)).members.map(({ name }) => name);

  it("is partial without an index, and reads no more rows than it says", async () => {
    assertEquals(await search("very last"), { members: [], partial: true, more: false });
    assert((await search("member1@example")).partial);

    const { sql } = database;
    const columns = await findReadableColumns({ sql });
    const plan = await explain(sql, selectAmongFirst(sql, columns, "very last"));
    const scans = nodesOf(plan).filter((node) => node["Node Type"] === "Seq Scan");
    assertEquals(scans.map((node) => node["Actual Rows"]), [LOOK_ROWS]);
  });

  it("finds a whole value by an ordinary index, although it is partial", async () => {
    await database.sql`create unique index members_email_key on public.members (email)`;
    const { members, partial } = await search("last@example.com");
    assertEquals([members.map(({ email }) => email), partial], [["last@example.com"], true]);
    await database.sql`drop index public.members_email_key`;
  });

  for (
    const [what, ...indexes] of [
      ["GIN indexes", "gin (display_name gin_trgm_ops)", "gin (email gin_trgm_ops)"],
      ["one GIN index of both", "gin (display_name gin_trgm_ops, email gin_trgm_ops)"],
      ["GiST indexes", "gist (display_name gist_trgm_ops)", "gist (email gist_trgm_ops)"],
      ["indexes on lower", "gin (lower(display_name) gin_trgm_ops)", "gin (lower(email) gin_trgm_ops)"],
    ] as const
  ) {
    it(`is complete with ${what}, and uses them`, async () => {
      const { sql } = database;
      for (const [place, index] of indexes.entries()) {
        await sql.unsafe(`create index members_search_${place} on public.members using ${index}`);
      }
      await sql`vacuum (analyze) public.members`;
      try {
        assertEquals(await namesOf("very last"), ["Ümit the very last 李雷"]);
        assertEquals(await namesOf("LAST@example"), ["Ümit the very last 李雷"]);
        assertEquals((await search("very last")).partial, false);
        assertEquals((await search("li")).partial, true, "too short for a trigram");
        const columns = await findReadableColumns({ sql });
        assert(columns.name !== null && columns.email !== null);
        const which = selectByTrigrams(sql, [columns.name, columns.email], "very last");
        const plan = await explain(sql, sql`select m.id from public.members m ${which}`);
        const used = nodesOf(plan).flatMap((node) => node["Index Name"] ?? []);
        assertEquals(
          [...new Set(used)].sort(),
          indexes.map((_, place) => `members_search_${place}`),
        );
        const rows = nodesOf(plan).filter((node) => node["Node Type"] === "Bitmap Heap Scan")
          .map((node) => node["Actual Rows"]);
        assert(rows.every((count) => count <= 1));
        assertEquals((await selectMembers(sql, columns, which)).length, 1);
      } finally {
        for (const place of indexes.keys()) await sql.unsafe(`drop index public.members_search_${place}`);
      }
    });
  }

  it("is partial where one column has an index and the other has none, or an invalid or partial one", async () => {
    const { sql } = database;
    await sql`create index members_name on public.members using gin (display_name gin_trgm_ops)`;
    assertEquals(await namesOf("very last"), ["Ümit the very last 李雷"]);
    assert((await search("very last")).partial);
    await sql`
      create index members_email on public.members using gin (email gin_trgm_ops) where email like 'a%'
    `;
    assert((await search("very last")).partial);
    await sql`drop index public.members_email`;
    await sql`create index members_email on public.members using gin (email gin_trgm_ops)`;
    await sql`update pg_index set indisvalid = false where indexrelid = 'public.members_email'::regclass`;
    assert((await search("very last")).partial);
    await sql`drop index public.members_email, public.members_name`;
  });

  it("looks at the first members where the index takes too long", async () => {
    const { sql } = database;
    const service = await database.newServicePool();
    await sql`create index members_name on public.members using gin (display_name gin_trgm_ops, email gin_trgm_ops)`;
    await sql.unsafe(`
      create function public.slow_for_indexes() returns boolean volatile language plpgsql as $$
      begin
        if current_setting('statement_timeout') = '80ms' then perform pg_sleep(1); end if;
        return true;
      end $$;
      alter table public.members enable row level security;
      create policy slow on public.members for select to public using (public.slow_for_indexes());
    `);
    try {
      const { members, partial, more } = await searchMembers({ sql: service }, "member", 20);
      assertEquals([members.length, partial, more], [20, true, true]);
    } finally {
      await sql`alter table public.members disable row level security`;
      await sql`drop index public.members_name`;
    }
  });

  it("shows no row that row-level security hides", async () => {
    const { sql } = database;
    const service = await database.newServicePool();
    await sql.unsafe(`
      alter table public.members enable row level security;
      create policy one_row on public.members for select to public using (email = 'member7@example.com');
      drop policy if exists slow on public.members;
    `);
    const { members } = await searchMembers({ sql: service }, "member", 20);
    assertEquals(members.map(({ email }) => email), ["member7@example.com"]);
    await sql`alter table public.members disable row level security`;
  });
});

describe("the search in a partitioned table", () => {
  it("looks at its partitions, and uses an index of all", async () => {
    const database = await testDatabase({ migrated: false });
    try {
      const { sql } = database;
      await sql.unsafe(`
        create table public.members (id uuid primary key, email text, display_name text) partition by hash (id);
        create table public.members_0 partition of public.members for values with (modulus 2, remainder 0);
        create table public.members_1 partition of public.members for values with (modulus 2, remainder 1);
        insert into public.members select gen_random_uuid(), 'm' || n, 'Member ' || n from generate_series(1, 1000) n;
      `);
      const search = (text: string) => searchMembers({ sql }, text, 20);
      const found = await search("member 777");
      assertEquals([found.members.map(({ name }) => name), found.partial], [["Member 777"], false]);
      await sql`create extension pg_trgm`;
      await sql`create index on public.members using gin (display_name gin_trgm_ops, email gin_trgm_ops)`;
      assertEquals((await findReadableColumns({ sql })).name?.trigramIndex, "column");
      assertEquals((await search("member 777")).members.length, 1);
    } finally {
      await database.drop();
    }
  });
});

async function roleOf(sql: Sql): Promise<string> {
  const [row] = await sql<[{ role: string }]>`select current_user::text as role`;
  return row.role;
}

async function explain(sql: Sql, query: Fragment): Promise<Plan> {
  const [row] = await sql`explain (analyze, format json) ${query}`;
  const [explained] = z.array(z.object({ Plan })).parse(Object.values(row ?? {})[0]);
  if (explained === undefined) throw new Error("there is no plan");
  return explained.Plan;
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}
