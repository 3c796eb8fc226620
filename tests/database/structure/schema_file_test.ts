import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { readCatalog } from "../../../src/database/structure/catalog.ts";
import { findDifferences } from "../../../src/database/structure/differences.ts";
import { readSchema } from "../../../src/database/structure/schema_file.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("what must exist, read from db/schema.sql", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it("is what a migrated database has, to the last column", async () => {
    const { objects } = await readSchema();
    const catalog = await readCatalog(database.sql);
    assertEquals(findDifferences(objects, catalog), []);
    const known = new Set(objects.map(({ kind, name }) => `${kind} ${name}`));
    const unknown = catalog.map(({ kind, name }) => `${kind} ${name}`).filter((each) =>
      !known.has(each) && !each.includes("assignment.schema_migrations") && !isBehindConstraint(each)
    );
    assertEquals(unknown, []);

    function isBehindConstraint(each: string): boolean {
      const [, index] = /^index \w+\.(\w+)$/.exec(each) ?? [];
      return index !== undefined &&
        objects.some(({ kind, name }) => kind === "constraint" && name.endsWith(` ${index}`));
    }
  });

  it("is found under an application's search path and settings too", async () => {
    const { sql, name } = database;
    await sql.unsafe(`
      alter database ${name} set search_path = assignment, public;
      alter database ${name} set intervalstyle = iso_8601;
      alter database ${name} set quote_all_identifiers = on;
    `);
    const session = database.newConnection();
    assertEquals((await checkHealth(session)).checks.schema, { status: "ok", detail: "complete" });
  });

  it("is compared in a constant number of statements, however much is missing", async () => {
    const { sql } = database;
    const count = async () => {
      let statements = 0;
      const counted = <T extends object>(handle: T): T =>
        new Proxy(handle, {
          apply(target, self, args) {
            statements += 1;
            return Reflect.apply(target as never, self, args);
          },
          get(target, property) {
            const value: unknown = Reflect.get(target, property);
            if (property !== "begin" || typeof value !== "function") return value;
            return (options: string, work: (transaction: object) => unknown) =>
              value(options, (transaction: object) => work(counted(transaction)));
          },
        });
      await checkHealth(counted(sql));
      return statements;
    };
    const whole = await count();
    await sql`drop table public.trainer_client_assignments, assignment.backfill_lanes, assignment.backfill_errors cascade`;
    assertEquals(await count(), whole);
    assert(whole < 20);
  });
});
