import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import {
  createCluster,
  findFreePort,
  startServer,
  stopServer,
  SUPERUSER,
} from "../../src/database/embedded/postgres_server.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { findBinaries } from "../../tests/support/servers.ts";

/**
 * The same for whoever is measured. Nothing here trades durability: fsync, full_page_writes and synchronous_commit are
 * at their defaults. Checkpoints are made between rounds rather than within one, so that no contender pays for another.
 */
const SETTINGS = {
  shared_buffers: "1GB",
  max_wal_size: "16GB",
  checkpoint_timeout: "1h",
  max_connections: "100",
};

/** A PostgreSQL of the bench's own. */
export interface BenchServer {
  sql: Sql;
  /** Of the postmaster, the parent of all of the server's processes. */
  pid: number;
  /** Makes a migrated database with the default trainer as its only member; or an empty one. */
  createDatabase(options?: { migrated: boolean }): Promise<BenchDatabase>;
  remove(): Promise<void>;
}

export interface BenchDatabase {
  url: string;
  sql: Sql;
  /** Writes out what is dirty, so that the next round begins on the same ground. */
  settle(): Promise<void>;
  drop(): Promise<void>;
}

/** Starts a server with empty data in a temporary folder; 15 is Debian's, where it is installed. */
export async function startBenchServer(version: "15" | "18" = "18"): Promise<BenchServer> {
  const binaries = await findBinaries(version);
  const parent = await Deno.makeTempDir({ prefix: "trainer-assignment-bench-" });
  await Deno.chmod(parent, 0o711); // as root, the server's account passes through
  const folder = `${parent}/postgres`;
  const password = crypto.randomUUID();
  const port = findFreePort();
  await createCluster(binaries, folder, { password, sync: true });
  await startServer(binaries, folder, port, SETTINGS);
  const urlOf = (name: string) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${name}`;
  const sql = openDatabase(urlOf("postgres"), { max: 1, applicationName: "bench" });
  const pid = Number((await Deno.readTextFile(`${folder}/postmaster.pid`)).split("\n", 1)[0]);
  let databases = 0;

  return {
    sql,
    pid,
    async createDatabase({ migrated } = { migrated: true }) {
      const name = `bench_${++databases}`;
      const url = urlOf(name);
      await sql`create database ${sql(name)} template template0`;
      const pool = openDatabase(url, { max: 20, applicationName: "bench" });
      if (migrated) {
        await migrateUp(url);
        await pool`insert into public.members (id, display_name) values (${DEFAULT_TRAINER_ID}, 'Default trainer')`;
      }
      return {
        url,
        sql: pool,
        async settle() {
          await pool`checkpoint`;
        },
        async drop() {
          await closeDatabase(pool);
          await sql`drop database ${sql(name)} with (force)`;
        },
      };
    },
    async remove() {
      await closeDatabase(sql);
      await stopServer(binaries, folder);
      await Deno.remove(parent, { recursive: true });
    },
  };
}
