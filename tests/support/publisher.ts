import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { type PostgresVersion, startTestServer } from "./servers.ts";

/** A server of its own whose table `members` others may subscribe to. */
export interface Publisher {
  sql: Sql;
  /** What a subscriber connects with, as `create subscription … connection` wants it. */
  connection: string;
  remove(): Promise<void>;
}

/** The publication of `public.members`. */
export const PUBLICATION = "members_elsewhere";

/** Starts a server that publishes its `public.members (id uuid primary key)` for logical replication. */
export async function startPublisher(version: PostgresVersion): Promise<Publisher> {
  const server = await startTestServer(version);
  const sql = openDatabase(server.url, { max: 2, applicationName: "publisher" });
  await sql`alter system set wal_level = logical`;
  await server.stop();
  await server.start();
  await sql`create table public.members (id uuid primary key)`;
  await sql.unsafe(`create publication ${PUBLICATION} for table public.members`);
  const { hostname, port, username, password, pathname } = new URL(server.url);
  return {
    sql,
    connection: `host=${hostname} port=${port} user=${username} password=${password} dbname=${
      pathname.slice(1)
    }`,
    async remove() {
      await closeDatabase(sql, 1);
      await server.remove();
    },
  };
}
