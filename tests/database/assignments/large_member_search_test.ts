import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { z } from "zod";
import { findReadableColumns, type Fragment } from "../../../src/assignments/member_columns.ts";
import { selectMembers } from "../../../src/assignments/member_lookup.ts";
import {
  LOOK_ROWS,
  searchMembers,
  selectAmongFirst,
  selectByTrigrams,
} from "../../../src/assignments/member_search.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";

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

async function explain(sql: Sql, query: Fragment): Promise<Plan> {
  const [row] = await sql`explain (analyze, format json) ${query}`;
  const [explained] = z.array(z.object({ Plan })).parse(Object.values(row ?? {})[0]);
  if (explained === undefined) throw new Error("there is no plan");
  return explained.Plan;
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}
