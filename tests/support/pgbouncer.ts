import { join } from "node:path";
import { findFreePort } from "../../src/database/postgres_server.ts";
import { serverUrl } from "./databases.ts";
import { isListening, requireProgram } from "./debian_program.ts";

const PROGRAM = "/usr/sbin/pgbouncer";

/** A pooler in transaction mode before the test server. */
export interface PgBouncer {
  /** The address of one of the server's databases, by way of the pooler. */
  urlOf(databaseName: string): string;
  stop(): Promise<void>;
}

/** Starts PgBouncer (Debian's package pgbouncer; as root it installs it where it is missing) with two connections a database. */
export async function startPgBouncer(): Promise<PgBouncer> {
  await requireProgram(PROGRAM, "pgbouncer");
  const server = new URL(serverUrl());
  const folder = await Deno.makeTempDir({ prefix: "trainer-assignment-pgbouncer-" });
  await Deno.chmod(folder, 0o755);
  const port = findFreePort();
  await Deno.writeTextFile(join(folder, "users.txt"), `"${server.username}" "${server.password}"\n`);
  await Deno.writeTextFile(
    join(folder, "pgbouncer.ini"),
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, "users.txt")}
pool_mode = transaction
default_pool_size = 2
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
  return {
    urlOf: (databaseName) =>
      Object.assign(new URL(server), { port: String(port), pathname: `/${databaseName}` }).href,
    async stop() {
      child.kill("SIGINT");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
