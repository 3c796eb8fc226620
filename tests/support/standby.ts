import { dirname } from "node:path";
import {
  findFreePort,
  startServer,
  stopServer,
  SUPERUSER,
} from "../../src/database/embedded/postgres_server.ts";
import { z } from "zod";
import { findBinaries, type TestServer } from "./servers.ts";

const versionSchema = z.enum(["15", "16", "17", "18"]);

/**
 * Starts a streaming standby of a test server, from a copy of its data; the primary is stopped and started
 * for it.
 * @param settings of the standby, such as `{ recovery_min_apply_delay: "1min" }`
 */
export async function startStandby(
  primary: TestServer,
  settings: Record<string, string> = {},
): Promise<TestServer> {
  const version = (await Deno.readTextFile(`${primary.folder}/PG_VERSION`)).trim();
  const binaries = await findBinaries(versionSchema.parse(version));
  const folder = `${dirname(primary.folder)}/standby`;
  const port = findFreePort();
  const { password, port: primaryPort } = new URL(primary.url);

  await primary.stop();
  const copy = await new Deno.Command("cp", { args: ["-a", primary.folder, folder] }).spawn().status;
  if (!copy.success) throw new Error(`cannot copy ${primary.folder}`);
  await primary.start();
  await Deno.writeTextFile(`${folder}/standby.signal`, "");
  await Deno.writeTextFile(
    `${folder}/postgresql.auto.conf`,
    `primary_conninfo = 'host=127.0.0.1 port=${primaryPort} user=${SUPERUSER} password=${password} application_name=standby'\n` +
      "wal_receiver_status_interval = 1\n" +
      Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`).join(""),
    { append: true },
  );

  const start = () => startServer(binaries, folder, port, { fsync: "off", max_connections: "200" });
  const stop = () => stopServer(binaries, folder);
  await start();
  return {
    url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    folder,
    start,
    stop,
    remove: async () => {
      await stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The URL that names both, in this order. */
export function joinHosts(first: TestServer, second: TestServer): string {
  const { host } = new URL(second.url);
  return first.url.replace(/(?=\/[^/]*$)/, `,${host}`);
}
