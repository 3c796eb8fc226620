import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateUp } from "../../../src/database/migrate.ts";
import { withMigrationLock } from "../../../src/database/migration_lock.ts";
import { OperatorError } from "../../../src/errors.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("the migration lock", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  const pidOf = async (name: string) => {
    const [session] = await database.sql<{ pid: number }[]>`
      select pid from pg_stat_activity where datname = current_database() and application_name = ${name}
    `;
    return session?.pid ?? 0;
  };

  it("makes another one wait, which is told the holder at once and continues afterwards", async () => {
    const told = Promise.withResolvers<string>();
    const waiting = await withMigrationLock(database.url, {}, async (sql) => {
      const [{ pid } = { pid: 0 }] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      const other = migrateUp(database.url, { onWait: told.resolve });
      assertMatch(
        await told.promise,
        new RegExp(`^session ${pid} \\(trainer-assignment migrate, connected since \\d{4}-.+Z\\)$`),
      );
      return { other };
    });
    assertEquals(await waiting.other, []);
  });

  it("is given up after a time, with its holder and how to end it", async () => {
    await withMigrationLock(database.url, {}, async (sql) => {
      const [{ pid } = { pid: 0 }] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      const error = await assertRejects(
        () => migrateUp(database.url, { giveUpAfterMs: 0 }),
        OperatorError,
        `another migration is running: session ${pid} (trainer-assignment migrate`,
      );
      assertMatch(error.message, new RegExp(`select pg_terminate_backend\\(${pid}\\);$`));
    });
  });

  it("is no longer waited for when the operator stops", async () => {
    await withMigrationLock(database.url, {}, async () => {
      const stop = new AbortController();
      await assertRejects(
        () => migrateUp(database.url, { signal: stop.signal, onWait: () => stop.abort() }),
        OperatorError,
        "nothing was done",
      );
    });
  });

  it("is held by a session that has no time-out", async () => {
    await database.sql.unsafe(`alter database ${database.name} set idle_session_timeout = 50`);
    await withMigrationLock(database.url, {}, async () => {
      const idleFor = async () =>
        (await database.sql<{ ms: number }[]>`
          select extract(epoch from now() - state_change)::float8 * 1000 as ms
          from pg_stat_activity
          where pid = ${await pidOf("trainer-assignment migrate")}
        `)[0]?.ms ?? Infinity;
      let ms = 0;
      while (ms < 200) ms = await idleFor();
      assert(ms < Infinity, "the session is gone");
    });
  });

  it("is reported when it was lost, for another migration may have run meanwhile", async () => {
    await assertRejects(
      () =>
        withMigrationLock(database.url, {}, async () => {
          await database.sql`select pg_terminate_backend(${await pidOf("trainer-assignment migrate")}, 5000)`;
        }),
      OperatorError,
      "was lost meanwhile",
    );
  });
});
