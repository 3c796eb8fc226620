import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { catalogOf } from "../../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("db/schema.sql", () => {
  let migrated: TestDatabase;
  let loaded: TestDatabase;
  beforeAll(async () => {
    migrated = await testDatabase();
    loaded = await testDatabase({ migrated: false });
    const schema = await Deno.readTextFile(new URL("../../../db/schema.sql", import.meta.url));
    await loaded.newConnection().unsafe(`set check_function_bodies = off; ${schema}`);
  });
  afterAll(async () => {
    await migrated.drop();
    await loaded.drop();
  });

  it("makes the same database as the migrations do, or else wants `deno task schema`", async () => {
    const fromFile = (await catalogOf(loaded.sql)).filter(isComparable);
    const fromMigrations = (await catalogOf(migrated.sql)).filter(isComparable);
    assertEquals({
      missing: fromMigrations.filter((line) => !fromFile.includes(line)),
      superfluous: fromFile.filter((line) => !fromMigrations.includes(line)),
    }, { missing: [], superfluous: [] });
  });

  it("contains nothing about the machine that made it", async () => {
    const schema = await Deno.readTextFile(new URL("../../../db/schema.sql", import.meta.url));
    assert(!/Dumped (?:from|by)|\\restrict|^alter .+ owner to/im.test(schema));
  });

  /** The server's own function from PostgreSQL 18 on, one in SQL before; the file is made on 15. */
  function isComparable(line: string): boolean {
    return !line.startsWith("function CREATE OR REPLACE FUNCTION assignment.uuid_v7()");
  }
});
