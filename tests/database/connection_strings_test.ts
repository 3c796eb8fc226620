/** Addresses of databases as providers, frameworks and people write them. Each has an outcome that is named here. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { ConfigError, parseConfig } from "../../src/config.ts";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { migrateDown, migrateUp } from "../../src/database/migrate.ts";
import { startTestServer, testedVersion, type TestServer } from "../support/servers.ts";

/** `taken`, with what the one warning says, if any; or what the refusal says. */
type Outcome = { taken: string | null } | { refused: string };
const taken = (warning: string | null = null): Outcome => ({ taken: warning });
const refused = (words: string): Outcome => ({ refused: words });

/** HOST, PORT, SOCKET and ENCODED_SOCKET stand for those of the test's server. */
const cases: readonly [url: string, outcome: Outcome][] = [
  ["postgresql://postgres@ENCODED_SOCKET:PORT/base", taken()],
  ["postgres://postgres@/base?host=SOCKET&port=PORT", taken()],
  ["postgres:///base?host=SOCKET&port=PORT&user=postgres", taken()],
  ["postgres:///base?host=SOCKET&port=PORT", refused("names no user")],
  ["postgres://postgres@HOST:PORT/base?sslmode=disable&channel_binding=disable", taken("channel_binding")],
  ["postgres://postgres@HOST:PORT/base?sslmode=prefer&channel_binding=prefer", taken("channel_binding")],
  ["postgres://postgres@HOST:PORT/base?sslmode=allow", taken()],
  ["postgres://postgres@HOST:PORT/base?pgbouncer=true&connection_limit=1", taken("DATABASE_POOL_SIZE")],
  ["postgres://postgres@HOST:PORT/base?schema=public", taken("schema")],
  ["postgres://postgres@HOST:PORT/base?options=-c%20search_path%3Dpublic", taken()],
  ["postgres://postgres@HOST:PORT/base?options=endpoint%3Dep-cool-name-123", taken("options=endpoint")],
  ["postgres://postgres@HOST:PORT/base?connect_timeout=10&application_name=mine", taken("application_name")],
  ["postgres://postgres@HOST:PORT/base?gssencmode=disable&keepalives=1", taken("gssencmode")],
  ["postgres://postgres@HOST:PORT/base?gssencmode=require", refused("GSSAPI is not supported")],
  ["postgres://postgres@HOST:PORT/base?currentSchema=public&ssl=false", taken("currentschema")],
  ["postgres://dba%40server@HOST:PORT/base", taken()],
  ["postgres://dba@server:p@ss#w/rd?x@HOST:PORT/base", refused("not percent-encoded")],
  ["postgres://dba@server:p%40ss%23w%2Frd%3Fx%2525@HOST:PORT/base", refused("not percent-encoded")],
  ["postgres://dba:p#ss@HOST:PORT/base", refused("not percent-encoded")],
  ["postgres://dba:p/ss@HOST:PORT/base", refused("not percent-encoded")],
  ["postgres://dba:p?ss@HOST:PORT/base", refused("not percent-encoded")],
  ["postgres://dba:p%ss@HOST:PORT/base", refused("not percent-encoded")],
  ["postgres+asyncpg://postgres@HOST:PORT/base", refused("SQLAlchemy: write postgres://user:password@")],
  ["postgresql+psycopg2://postgres@HOST:PORT/base", refused("SQLAlchemy: write postgres://user:password@")],
  ["ecto://postgres@HOST:PORT/base", refused("Ecto: write postgres://user:password@")],
  ["jdbc:postgresql://HOST:PORT/base?user=postgres", refused("JDBC: write postgres://user:password@")],
  ["host=HOST port=PORT user=postgres dbname=base", refused("keywords: write postgres://user:password@")],
  ["postgres://postgres@HOST:PORT", taken()],
  ["postgres://HOST:PORT/base", refused("names no user")],
  ["postgres://postgres@localhost:PORT/base", taken()],
  ['"postgres://postgres@HOST:PORT/base"', taken()],
  ["'postgres://postgres@HOST:PORT/base'", taken()],
  ["postgres://postgres@HOST:PORT/base ", taken()],
  ["POSTGRES://postgres@HOST:PORT/base", taken()],
  ["postgres://postgres@HOST:PORT/base?sslmode=no-verify", refused("offers no TLS")],
  ["postgres://postgres@HOST:PORT/base?sslmode=banana", refused("sslmode must be disable, allow")],
  ["postgres://postgres@HOST:PORT/base?ssl=banana", refused("sslmode must be disable, allow")],
  ["postgres://postgres@HOST:PORT/base?sslmode=disable&sslcert=/x&sslkey=/y", taken("there is no TLS")],
  ["postgres://postgres@HOST:PORT/base?sslcert=/x&sslkey=/y", refused("client certificates")],
  ["postgres://postgres@HOST:PORT/base?statement_timeout=0&timezone=Europe/Berlin", taken("timezone")],
  ["postgres://postgres@HOST:PORT/base?sslmod=disable", refused('parameter "sslmod"')],
];

describe("addresses of databases", () => {
  let server: TestServer;
  const password = "a/b+c=@:?#% \"'$&";
  let fillIn: (text: string) => string;
  beforeAll(async () => {
    server = await startTestServer(testedVersion(), { hasSocket: true });
    const url = new URL(server.url);
    fillIn = (text) =>
      text.replace("ENCODED_SOCKET", encodeURIComponent(server.folder)).replace("SOCKET", server.folder)
        .replace("HOST", url.hostname).replace("PORT", url.port);
    const sql = openDatabase(server.url, { max: 1, applicationName: "test" });
    await sql.unsafe("create database base");
    await sql.unsafe(`alter role postgres password '${password.replaceAll("'", "''")}'`);
    await sql.unsafe(`create role "dba@server" superuser login password '${password.replaceAll("'", "''")}'`);
    await closeDatabase(sql);
  });
  afterAll(() => server.remove());

  for (const [written, outcome] of cases) {
    const words = "refused" in outcome
      ? "refused"
      : outcome.taken === null
      ? "taken"
      : "taken with a warning";
    it(`${written} is ${words}`, async () => {
      const environment = { DATABASE_URL: fillIn(written), DATABASE_PASSWORD: password };
      if ("refused" in outcome) {
        const message = await refusalOf(environment);
        assertStringIncludes(message, outcome.refused);
        for (const piece of ["ss#w", "p@ss", "rd?x", "p%40", "p/ss", "p?ss"]) {
          assert(!message.includes(piece), message);
        }
        return;
      }
      const { databaseUrl, warnings } = parseConfig(environment);
      assertEquals(warnings.length, outcome.taken === null ? 0 : 1, warnings.join());
      assertStringIncludes(warnings.join(), outcome.taken ?? "");
      await migrateUp(databaseUrl ?? ""); // by the driver, and the next step by dbmate
      assertEquals((await migrateDown(databaseUrl ?? "", { all: false })).length, 1);
    });
  }

  it("a replica's address is read by the same rules", () => {
    const DATABASE_URL = "postgres://u@one/base";
    const replica = "postgres://u@two/base?pgbouncer=true&schema=public";
    const config = parseConfig({ DATABASE_URL, DATABASE_READ_URL: replica, DATABASE_PASSWORD: "a b" });
    assertEquals(config.databaseReadUrl, "postgres://u:a%20b@two/base?prepare=false");
    assertEquals(config.warnings, [
      "DATABASE_READ_URL: ignored are schema (the schemas are public and assignment)",
    ]);
    assertEquals(
      parseConfig({ DATABASE_URL, DATABASE_READ_URL: "postgres://u:own@two/base", DATABASE_PASSWORD: "x" })
        .databaseReadUrl,
      "postgres://u:own@two/base",
    );
  });

  it("a password is given in one place", () => {
    const both = { DATABASE_URL: "postgres://u:secret@one/base", DATABASE_PASSWORD: "secret" };
    const error = assertThrows(() => parseConfig(both), ConfigError);
    assertEquals(error.problems, [
      "DATABASE_PASSWORD: DATABASE_URL has a password as well: keep one of the two",
    ]);
    assertThrows(() => parseConfig({ DATABASE_PASSWORD: "x" }), ConfigError, "needs DATABASE_URL");
  });

  async function refusalOf(environment: Record<string, string>): Promise<string> {
    try {
      await migrateUp(parseConfig(environment).databaseUrl ?? "");
    } catch (error) {
      return String(error);
    }
    throw new Error("it was taken");
  }
});
