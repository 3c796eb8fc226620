import { join } from "node:path";
import { z } from "zod";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { findFreePort } from "../../src/database/embedded/postgres_server.ts";
import { isListening, requireProgram } from "./debian_program.ts";

const PROGRAM = "/usr/sbin/pgbouncer";
const statsSchema = z.array(z.object({ xactCount: z.coerce.number() }));

/** A pooler in transaction mode before a server. */
export interface PgBouncer {
  /** The address of one of the server's databases, by way of the pooler. */
  urlOf(databaseName: string): string;
  /** Transactions that it has passed on so far. */
  countTransactions(): Promise<number>;
  stop(): Promise<void>;
}

export interface PgBouncerOptions {
  /** The server's address as superuser. */
  serverUrl: string;
  /** Roles beside the superuser who may come by way of it, with the superuser's password. */
  users?: readonly string[];
  /** Connections to the server a database and role. */
  connections?: number;
  /** How long a transaction may wait for one of these, or for a server that is away. */
  longestWaitSeconds?: number;
  /** Settings that it takes from clients without a word, and does not pass on. */
  ignored?: readonly string[];
}

/**
 * Where a service finds a server of a test's own: there itself, or behind a pooler of its own where the tests run through
 * one (`THROUGH_POOLER=1 deno task test`).
 */
export async function wayTo(server: { url: string }): Promise<{ url: string; close(): Promise<void> }> {
  if (!Deno.env.has("TEST_POOLER_URL")) return { url: server.url, close: () => Promise.resolve() };
  const pooler = await startPgBouncer({ serverUrl: server.url, connections: 20, longestWaitSeconds: 2 });
  return { url: `${pooler.urlOf("postgres")}?prepare=false`, close: pooler.stop };
}

/** Starts PgBouncer (Debian's package pgbouncer; as root it installs it where it is missing) before all databases of a server. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const { serverUrl, users = [], connections = 2, longestWaitSeconds = 30, ignored = [] } = options;
  await requireProgram(PROGRAM, "pgbouncer");
  const server = new URL(serverUrl);
  const folder = await Deno.makeTempDir({ prefix: "trainer-assignment-pgbouncer-" });
  await Deno.chmod(folder, 0o755);
  const port = findFreePort();
  await Deno.writeTextFile(
    join(folder, "users.txt"),
    [server.username, ...users].map((user) => `"${user}" "${server.password}"\n`).join(""),
  );
  await Deno.writeTextFile(
    join(folder, "pgbouncer.ini"),
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
stats_users = ${server.username}
auth_file = ${join(folder, "users.txt")}
pool_mode = transaction
max_client_conn = 1000
query_wait_timeout = ${longestWaitSeconds}
server_login_retry = 1
default_pool_size = ${connections}
ignore_startup_parameters = ${ignored.join(",")}
`,
  );
  const isRoot = Deno.uid() === 0;
  const child = new Deno.Command(PROGRAM, {
    args: [...(isRoot ? ["-u", "postgres"] : []), join(folder, "pgbouncer.ini")],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await isListening(port, child, "pgbouncer");
  const urlOf = (databaseName: string) =>
    Object.assign(new URL(server), { port: String(port), pathname: `/${databaseName}` }).href;
  return {
    urlOf,
    async countTransactions() {
      const console = openDatabase(urlOf("pgbouncer"), { max: 1, applicationName: "test" });
      const rows = statsSchema.parse(await console.unsafe("show stats_totals").simple());
      await closeDatabase(console, 1);
      return rows.reduce((sum, { xactCount }) => sum + xactCount, 0);
    },
    async stop() {
      child.kill("SIGINT");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
