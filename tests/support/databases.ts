import process from "node:process";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";

/** A database of a test's own, on the server that `deno task test` started. */
export interface TestDatabase {
  name: string;
  /** Its address on the server itself: for migrations, and for what needs a session. */
  url: string;
  /** Its address for what the service does: by way of the pooler where the tests run through one, else the same. */
  serviceUrl: string;
  /** A pool of five connections, which come by `serviceUrl` as all others here do. */
  sql: Sql;
  /** Opens a pool of five connections of a role with the rights of the service and no more; closed by `drop`. */
  newServicePool(): Promise<Sql>;
  /** Opens another session, for what two of them do to each other; closed by `drop`. */
  newConnection(): Sql;
  /** Closes every connection, for good. */
  close(): Promise<void>;
  /** Closes every connection and removes the database. */
  drop(): Promise<void>;
}

export const TEMPLATE = "test_template";

/** What {@link TestDatabase.newServicePool} signs in as; its password is the superuser's. */
export const SERVICE_ROLE = "test_service";

/**
 * Makes a database in some 20 ms: migrated and with the default trainer as its only member, or empty.
 * @param options.migrated false for an empty one
 * @param options.template a test's own to copy instead, whose own connections this closes
 */
export async function testDatabase(
  options: { migrated?: boolean; template?: TestDatabase } = {},
): Promise<TestDatabase> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await options.template?.close();
  const template = options.template?.name ?? (options.migrated === false ? "template0" : TEMPLATE);
  await withServer(async (server) => {
    await server`create database ${server(name)} template ${server(template)} strategy file_copy`;
  });
  const url = Object.assign(new URL(serverUrl()), { pathname: `/${name}` }).href;
  const serviceUrl = throughPooler(url);
  const sql = openDatabase(serviceUrl, { max: 5, applicationName: "test" });
  const sessions = [sql];
  const close = async () => {
    await Promise.all(sessions.map((session) => closeDatabase(session, 1)));
  };
  return {
    name,
    url,
    serviceUrl,
    sql,
    async newServicePool() {
      await sql`select assignment.grant_service(${SERVICE_ROLE})`;
      const roleUrl = Object.assign(new URL(serviceUrl), { username: SERVICE_ROLE }).href;
      const pool = openDatabase(roleUrl, { max: 5, applicationName: "test service" });
      sessions.push(pool);
      return pool;
    },
    newConnection() {
      const session = openDatabase(serviceUrl, { max: 1, applicationName: "test session" });
      sessions.push(session);
      return session;
    },
    close,
    async drop() {
      await close();
      await withServer(async (server) => {
        await server`drop database if exists ${server(name)} with (force)`;
      });
    },
  };
}

/** The server's own database `postgres`, as superuser. */
export function serverUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (url === undefined) {
    throw new Error("There is no test server: run the tests with `deno task test [FILE]`.");
  }
  return url;
}

/** The same database by way of the pooler that `THROUGH_POOLER=1 deno task test` started. */
function throughPooler(url: string): string {
  const pooler = process.env.TEST_POOLER_URL;
  if (pooler === undefined) return url;
  return Object.assign(new URL(url), { host: new URL(pooler).host, search: "?prepare=false" }).href;
}

async function withServer(work: (server: Sql) => Promise<void>): Promise<void> {
  const server = openDatabase(serverUrl(), { max: 1, applicationName: "test databases" });
  try {
    await work(server);
  } finally {
    await closeDatabase(server);
  }
}
