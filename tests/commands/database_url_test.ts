/** What the commands make of DATABASE_URL: what they say when it, or the database, is not right. */
import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { NEAR_MISSES } from "../../src/database/database_variables.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { projectItself, type RunningTask } from "../support/project.ts";

describe("DATABASE_URL", () => {
  const project = projectItself();
  let database: TestDatabase;
  let environment: Record<string, string>;
  let started: RunningTask | undefined;

  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    environment = { DATABASE_URL: database.url };
  });
  afterEach(async () => {
    started?.kill("SIGKILL");
    await started?.ended;
    await database.drop();
  });

  it("a database that is away is reported in one line without its password", async () => {
    for (const task of ["migrate", "demo"]) {
      const result = await project.run(task, [], {
        DATABASE_URL: "postgres://service:hunter2@127.0.0.1:1/none",
      });
      assertEquals(result.code, 1);
      assertEquals(result.stderr, "error: cannot reach the database: connect ECONNREFUSED 127.0.0.1:1\n");
    }
  });

  it("a refused password and an unknown database point at DATABASE_URL", async () => {
    const wrong = Object.assign(new URL(database.url), { username: "nobody", password: "wrong" }).href;
    const refused = await project.run("migrate", [], { DATABASE_URL: wrong });
    assertEquals([refused.code, refused.stderr.endsWith(": correct DATABASE_URL\n")], [1, true]);
    const absent = await project.run("migrate", [], { DATABASE_URL: `${database.url}_none` });
    assertMatch(absent.stderr, /^error: the database says: .+_none" does not exist: correct DATABASE_URL\n$/);
    assertEquals(absent.code, 1);
  });

  it("an error about missing rights points at their documentation", async () => {
    const role = `${database.name}_stranger`;
    const password = crypto.randomUUID();
    await database.sql.unsafe(`create role ${role} login password '${password}'`);
    const stranger = {
      DATABASE_URL: Object.assign(new URL(database.url), { username: role, password }).href,
    };
    try {
      const unmigrated = await project.run("migrate", [], stranger);
      await project.run("migrate", [], environment);
      const migrated = await project.run("migrate", ["status"], stranger);
      for (const { code, stderr } of [unmigrated, migrated]) {
        assertEquals(code, 1);
        assertMatch(
          stderr,
          /^error: .*permission denied for .+: docs\/adopting\.md says which role needs .+\n$/,
        );
      }
    } finally {
      await database.sql.unsafe(`drop role ${role}`);
    }
  });

  it("an empty DATABASE_URL is refused, and one under another name, before any database is started", async () => {
    const empty = await project.run("migrate", [], { DATABASE_URL: "" });
    assertEquals([empty.code, empty.stderr.includes("DATABASE_URL: is empty")], [1, true]);
    for (const name of NEAR_MISSES) {
      const result = await project.run("migrate", [], { [name]: database.url });
      assertEquals(result.code, 1);
      assertEquals(
        result.stderr,
        `error: DATABASE_URL: is missing, but ${name} is set: rename it if it names the database, else unset it\n`,
      );
    }
  });

  it("parameters for other clients are one warning, by a task and by the service", async () => {
    environment.DATABASE_URL += "?connection_limit=1&schema=public";
    const words =
      "DATABASE_URL: ignored are connection_limit (DATABASE_POOL_SIZE sets the number of connections), " +
      "schema (the schemas are public and assignment)";
    const migrated = await project.run("migrate", [], environment);
    assertEquals([migrated.code, migrated.stderr], [0, `warning: ${words}\n`]);
    started = project.spawn("start", { ...environment, ADMIN_TOKENS: `ci=${"a".repeat(64)}` });
    await started.line(/"address":"(http[^"]+)"/);
    assertEquals(started.output().split(words).length, 2);
  });

  it("no piece of a password that is not percent-encoded is printed", async () => {
    for (
      const password of [
        "hunter2@secret",
        "hunter2/secret",
        "hunter2#secret",
        "hunter2?secret",
        "hunter2%secret",
      ]
    ) {
      const result = await project.run("migrate", [], {
        DATABASE_URL: `postgres://service:${password}@127.0.0.1:1/none`,
      });
      assertMatch(result.stderr, /^error: DATABASE_URL: .+ is not percent-encoded: [^\n]+\n$/);
      assertEquals(/hunter2|secret/.test(result.stderr + result.stdout), false);
    }
  });

  it("a database without the required TLS is reported in one line", async () => {
    const result = await project.run("migrate", [], { DATABASE_URL: `${database.url}?sslmode=require` });
    assertEquals(result.code, 1);
    assertMatch(result.stderr, /^error: cannot reach the database: [^\n]*TLS[^\n]*\n$/);
  });
});
