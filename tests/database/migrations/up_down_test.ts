import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateDown, migrateUp } from "../../../src/database/migrate.ts";
import { readSchemaState } from "../../../src/database/schema_state.ts";
import { catalogOf, digestOf } from "../../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { readMigrations } from "../../support/migration_files.ts";

describe("the migrations", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
  });
  afterEach(() => database.drop());

  it("each say in their header which locks they take and whether they are reversible", async () => {
    for (const { name, up, down } of await readMigrations()) {
      const text = await Deno.readTextFile(new URL(`../../../db/migrations/${name}`, import.meta.url));
      const head = text.slice(0, text.indexOf("-- migrate:up"));
      assertMatch(head, /^-- Locks: /m, name);
      assertMatch(head, /Reversible/, name);
      assertMatch(up, /;/, name);
      assertMatch(down, /;/, name);
    }
  });

  it("each make at most one table, view, type or function", async () => {
    for (const { name, up } of await readMigrations()) {
      const made = [...up.matchAll(/^\s*create (?:table|view|type|function) ([\w.]+)/gm)].map(([, object]) =>
        object
      );
      assertEquals([...new Set(made)].slice(1), [], name);
    }
  });

  it("comment on every table, view, type and function that they make", async () => {
    await migrateUp(database.url);
    const uncommented = await database.sql`
      select oid::regclass::text as object
      from pg_class
      where relnamespace = 'assignment'::regnamespace
        and relkind in ('r', 'v')
        and relname <> 'schema_migrations'
        and obj_description(oid, 'pg_class') is null
      union all
      select t.oid::regtype::text
      from pg_type t
      join pg_class c on c.oid = t.typrelid
      where c.relnamespace = 'assignment'::regnamespace
        and c.relkind = 'c'
        and obj_description(t.oid, 'pg_type') is null
      union all
      select oid::regprocedure::text
      from pg_proc
      where pronamespace = 'assignment'::regnamespace
        and obj_description(oid, 'pg_proc') is null
    `;
    assertEquals(uncommented.map(({ object }) => object), []);
  });

  it("ignore what is missing when they are reverted", async () => {
    for (const { name, down } of await readMigrations()) {
      const strict = down.match(/^\s*(?:drop|alter) (?!.*\bif exists\b).*$/gm) ?? [];
      // Within a block the drop follows a look of its own.
      assertEquals(strict.filter((line) => !line.startsWith(" ")), [], name);
    }
  });

  it("apply to an empty database", async () => {
    const files = await readMigrations();
    assertEquals((await migrateUp(database.url)).length, files.length);
    assertEquals((await readSchemaState(database.sql)).pending, []);
    assertEquals(await migrateUp(database.url), []);
  });

  it("are all pending on an empty database, and asking changes nothing", async () => {
    const before = await catalogOf(database.sql);
    const files = await readMigrations();
    assertEquals(await readSchemaState(database.sql), {
      applied: [],
      pending: files.map(({ name }) => name.slice(0, 14)),
      unknown: [],
    });
    assertEquals(await catalogOf(database.sql), before);
  });

  it("each revert to exactly the state before them, and apply again", async () => {
    const files = await readMigrations();
    const stages: string[] = [];
    const reference = await testDatabase({ migrated: false });
    await reference.sql`create schema assignment`;
    for (const { up } of files) {
      stages.push(await digestOf(reference.sql));
      await reference.sql.begin((tx) => tx.unsafe(up));
    }
    const whole = await catalogOf(reference.sql);
    for (const [index, { name, down }] of [...files.entries()].toReversed()) {
      await reference.sql.begin((tx) => tx.unsafe(down));
      if (await digestOf(reference.sql) === stages[index]) continue;
      assertEquals(await catalogOf(reference.sql), await catalogBefore(index), `down of ${name}`);
    }
    await reference.drop();

    await migrateUp(database.url);
    assertEquals(await catalogOf(database.sql), whole);
    for (let left = 3; left > 0; left--) {
      assertEquals(await migrateDown(database.url, { all: false }), [files.at(left - 4)?.name.slice(0, 14)]);
    }
    await migrateUp(database.url);
    assertEquals(await catalogOf(database.sql), whole);
  });

  it("revert all at once and leave nothing behind", async () => {
    const before = await catalogOf(database.sql);
    const versions = await migrateUp(database.url);
    assertEquals(await migrateDown(database.url, { all: true }), versions.toReversed());
    assertEquals(await catalogOf(database.sql), before);
    const rows = await database.sql`select nspname from pg_namespace where nspname = 'assignment'`;
    assertEquals([...rows], []);
  });

  it("can be reverted when nothing is there", async () => {
    assertEquals(await migrateDown(database.url, { all: false }), []);
    assertEquals(await migrateDown(database.url, { all: true }), []);
  });

  it("are applied once when five start at the same time", async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => migrateUp(database.url)));
    const files = await readMigrations();
    assertEquals(results.map((versions) => versions.length).toSorted((a, b) => a - b), [
      0,
      0,
      0,
      0,
      files.length,
    ]);
    assertEquals((await readSchemaState(database.sql)).pending, []);
  });

  it("leave an application's own public.schema_migrations alone", async () => {
    await database.sql.unsafe(`
      create table public.schema_migrations (version text primary key, dirty boolean);
      insert into public.schema_migrations values ('20200101000000', false);
    `);
    await migrateUp(database.url);
    await migrateDown(database.url, { all: true });
    const rows = await database.sql`select version, dirty from public.schema_migrations`;
    assertEquals([...rows], [{ version: "20200101000000", dirty: false }]);
  });

  it("work with another search_path", async () => {
    await database.sql.unsafe(`
      create schema elsewhere;
      alter database ${database.name} set search_path = elsewhere;
    `);
    await migrateUp(database.url);
    const rows = await database
      .sql`select relname from pg_class where relnamespace = 'elsewhere'::regnamespace`;
    assertEquals([...rows], []);
    await migrateDown(database.url, { all: true });
  });
});

/** The catalog before a migration, told at length where its digest differs. */
async function catalogBefore(index: number): Promise<string[]> {
  const database = await testDatabase({ migrated: false });
  await database.sql`create schema assignment`;
  for (const { up } of (await readMigrations()).slice(0, index)) {
    await database.sql.begin((tx) => tx.unsafe(up));
  }
  const catalog = await catalogOf(database.sql);
  await database.drop();
  return catalog;
}
