/** What each part says of a database that an older or a newer version migrated. */
import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateDown, migrateRepair, migrateUp } from "../../../src/database/migrate.ts";
import { listMigrations, versionOf } from "../../../src/database/migration_files.ts";
import { nameRelease, type Release } from "../../../src/database/releases.ts";
import {
  describeSchemaState,
  describeVersions,
  readSchemaState,
} from "../../../src/database/schema_state.ts";
import { OperatorError } from "../../../src/errors.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import { VERSION } from "../../../src/version.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

const LATER = "29991231000000";

const NEWER = `the database has 1 migration(s) that this program, ${VERSION}, does not know`;
const OLDER = `the database lacks 2 migration(s) of this program, ${VERSION}; run: deno task migrate`;
const DEPLOY =
  `${NEWER}: deploy the version that applied them. Until then ${VERSION} works with the schema of any later 1.x`;
const DIVERGED = `${NEWER}, and lacks 2 that it has: migrate with the newest version`;

describe("a database of another version", () => {
  let database: TestDatabase;
  let count: number;
  beforeEach(async () => {
    database = await testDatabase();
    count = (await listMigrations()).length;
  });
  afterEach(() => database.drop());

  const beNewer = () => database.sql`insert into assignment.schema_migrations (version) values (${LATER})`;
  const beOlder = async () => {
    for (let down = 0; down < 2; down++) await migrateDown(database.url, { all: false });
  };
  const describeState = async () => describeSchemaState(await readSchemaState(database.sql));
  const databaseLine = async () => (await describeVersions(await readSchemaState(database.sql)))[1];
  const migrationsCheck = async () => (await checkHealth(database.sql)).checks.migrations;
  const refusal = async (work: () => Promise<unknown>) => (await assertRejects(work, OperatorError)).message;

  it("is of this version where the migrations are the same", async () => {
    assertEquals(await describeState(), null);
    assertEquals(await describeVersions(await readSchemaState(database.sql)), [
      `program   ${VERSION} (${count} migrations)`,
      `database  ${VERSION}`,
    ]);
  });

  it("says what to do where it was never migrated", async () => {
    const empty = await testDatabase({ migrated: false });
    const state = await readSchemaState(empty.sql);
    assertEquals(describeSchemaState(state), "the database was never migrated; run: deno task migrate");
    assertEquals((await describeVersions(state))[1], "database  never migrated; run: deno task migrate");
    assertEquals(
      await refusal(() => migrateRepair(empty.url)),
      "the database was never migrated; run: deno task migrate",
    );
    await empty.drop();
  });

  it("says how far an older one is behind, and is not repaired before it is migrated", async () => {
    await beOlder();
    assertEquals(await describeState(), OLDER);
    assertEquals(
      await databaseLine(),
      "database  before 1.0.0, lacks 2 migration(s); run: deno task migrate",
    );
    assertEquals(await migrationsCheck(), { status: "degraded", detail: OLDER });
    assertEquals((await refusal(() => migrateRepair(database.url))).split(". ")[0], OLDER);
    assertEquals((await migrateUp(database.url)).length, 2);
  });

  it("says that a newer one wants the newer program, whose migrations stay", async () => {
    await beNewer();
    assertEquals(await describeState(), DEPLOY);
    assertEquals(
      await databaseLine(),
      `database  newer than ${VERSION}: 1 migration(s) that this program does not know`,
    );
    assertEquals(await migrateUp(database.url), []);
    assertEquals(
      await refusal(() => migrateRepair(database.url)),
      `${NEWER}: repair it with the version that applied them`,
    );
    for (const all of [true, false]) {
      assertEquals(
        await refusal(() => migrateDown(database.url, { all })),
        `${NEWER}: take them back with the version that applied them`,
      );
    }
    assertEquals((await readSchemaState(database.sql)).unknown, [LATER]);
  });

  it("leaves the service ready while it is newer, as in the middle of a rolling upgrade", async () => {
    await beNewer();
    await database.sql`alter table assignment.settings add column label text`;
    const { status, checks } = await checkHealth(database.sql);
    assertEquals(status, "ready");
    assertEquals(checks.migrations, { status: "ok", detail: DEPLOY });
  });

  it("is left as it is where Citus has distributed it", async () => {
    await beOlder();
    await database.sql`create schema assignment_shards`;
    for (const onCluster of [true, false]) {
      assertEquals(
        await refusal(() => migrateUp(database.url, { onCluster })),
        `the database lacks 2 migration(s) of this program, ${VERSION}, and is distributed by Citus: they cannot be ` +
          "applied to its shards. Stay with the version that distributed it; see docs/upgrading.md#on-citus",
      );
    }
    assertEquals((await readSchemaState(database.sql)).pending.length, 2);
  });

  it("is left as it is where both have migrations that the other lacks", async () => {
    await beOlder();
    await beNewer();
    assertEquals(await migrationsCheck(), { status: "degraded", detail: DIVERGED });
    assertEquals(await refusal(() => migrateUp(database.url)), DIVERGED);
  });
});

describe("the name of a release", () => {
  const files = ["01_first.sql", "02_second.sql", "03_third.sql"];
  const release = (version: string, count: number): Release => ({
    version,
    migrations: files.slice(0, count).map((file) => ({ file, sha256: "" })),
  });
  const releases = [release("1.0.0", 1), release("1.1.0", 2)];
  const nameOf = (count: number) => nameRelease(files.slice(0, count).map(versionOf), releases);

  it("is that of the newest whose migrations are all there", () => {
    assertEquals([0, 1, 2].map(nameOf), ["before 1.0.0", "1.0.0", "1.1.0"]);
  });

  it("tells of migrations that no release has yet", () => {
    assertEquals(nameOf(3), "1.1.0 and 1 migration(s) more");
    assertEquals(nameRelease(["01"], []), "not released");
  });
});
