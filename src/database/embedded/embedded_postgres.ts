import { join, resolve } from "node:path";
import { z } from "zod";
import { OperatorError } from "../../errors.ts";
import { closeDatabase, openDatabase } from "../connection.ts";
import { npmBinaries } from "./npm_binaries.ts";
import {
  createCluster,
  findFreePort,
  isPortFree,
  isServerRunning,
  startServer,
  stopServer,
  SUPERUSER,
} from "./postgres_server.ts";

/** The project's own PostgreSQL. This process uses it until `close`. */
export interface EmbeddedPostgres {
  url: string;
  /** Records the service's address, which a second start then shows. Only for the service. */
  announce(address: string): Promise<void>;
  /** Ends the use of the server, and stops it if no other process uses it. */
  close(): Promise<void>;
}

const SERVER_VERSION = "18";
const ADOPT_TIMEOUT_MS = 60_000;

/**
 * Starts the PostgreSQL server of a data folder; the first time it creates the data. One service and any number
 * of tasks share the server: the first process starts it, and the last one stops it. A server that a killed
 * process left running is used again.
 *
 * Three lock files coordinate this; the kernel releases them when a process dies. The service holds
 * `service.lock` while it runs, every user of the server holds `users.lock` (shared), and whoever starts or
 * stops it holds `change.lock`.
 * @throws {OperatorError} when the service runs already, or the folder cannot be used.
 */
export async function openEmbeddedPostgres(
  folder: string,
  role: "service" | "task",
): Promise<EmbeddedPostgres> {
  await makeFolder(folder);
  const service = role === "service" ? await takeServiceLock(folder) : null;
  try {
    const change = await openLockFile(join(folder, "change.lock"));
    const users = await openLockFile(join(folder, "users.lock"));
    await change.lock(true);
    await users.lock(false);
    const url = await ensureRunning(folder);
    await change.unlock();
    return {
      url,
      async announce(address) {
        await service?.truncate();
        await service?.write(new TextEncoder().encode(address));
      },
      async close() {
        await change.lock(true);
        await users.unlock();
        if (await users.tryLock(true)) await stopServer(npmBinaries(import.meta.url), clusterFolder(folder));
        for (const file of [users, change, service]) file?.close();
      },
    };
  } catch (error) {
    service?.close();
    throw error;
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw cannotUse(folder, error);
  }
}

async function takeServiceLock(folder: string): Promise<Deno.FsFile> {
  const path = join(folder, "service.lock");
  const file = await openLockFile(path);
  if (await file.tryLock(true)) {
    await file.truncate();
    return file;
  }
  file.close();
  const address = await Deno.readTextFile(path);
  throw new OperatorError(
    `the service runs already${address === "" ? "" : ` at ${address}`}, with the data in ${resolve(folder)}`,
  );
}

async function openLockFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    throw cannotUse(path, error);
  }
}

/** Starts the server unless it runs, and returns its URL. The caller holds `change.lock`. */
async function ensureRunning(folder: string): Promise<string> {
  const binaries = npmBinaries(import.meta.url);
  const cluster = clusterFolder(folder);
  const state = await readState(folder) ?? await createState(folder);
  const deadline = Date.now() + ADOPT_TIMEOUT_MS;
  while (await isServerRunning(binaries, cluster)) {
    if (await answers(state, cluster)) return databaseUrl(state);
    if (Date.now() > deadline) {
      throw new OperatorError(`the PostgreSQL server left in ${cluster} does not answer`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200)); // it is starting or stopping
  }
  const port = isPortFree(state.port) ? state.port : findFreePort();
  await writeState(folder, { ...state, port });
  await startServer(binaries, cluster, port);
  return databaseUrl({ ...state, port });
}

const stateSchema = z.object({ port: z.int(), password: z.string() });
type State = z.infer<typeof stateSchema>;

/** Reads the state of an earlier start; null at the first start. */
async function readState(folder: string): Promise<State | null> {
  const cluster = clusterFolder(folder);
  try {
    const version = (await Deno.readTextFile(join(cluster, "PG_VERSION"))).trim();
    if (version !== SERVER_VERSION) {
      throw new OperatorError(
        `${resolve(cluster)} was made by PostgreSQL ${version}, and this is PostgreSQL ${SERVER_VERSION}: ` +
          `move the folder away to start empty, or copy the data with pg_dump of version ${version}`,
      );
    }
    return stateSchema.parse(JSON.parse(await Deno.readTextFile(statePath(folder))));
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    if (error instanceof Deno.errors.NotFound && !await exists(cluster)) return null;
    throw cannotUse(cluster, error);
  }
}

/**
 * Creates the cluster under another name and renames it last, so that an interrupted start leaves no half-made
 * cluster.
 */
async function createState(folder: string): Promise<State> {
  const unfinished = join(folder, "postgres.new");
  if (await exists(unfinished)) await Deno.remove(unfinished, { recursive: true });
  const state = { port: findFreePort(), password: crypto.getRandomValues(new Uint8Array(24)).toHex() };
  try {
    await writeState(folder, state);
    await createCluster(npmBinaries(import.meta.url), unfinished, { password: state.password, sync: true });
    await Deno.rename(unfinished, clusterFolder(folder));
  } catch (error) {
    throw cannotUse(folder, error);
  }
  return state;
}

async function writeState(folder: string, state: State): Promise<void> {
  await Deno.writeTextFile(statePath(folder), JSON.stringify(state), { mode: 0o600 });
}

async function answers(state: State, cluster: string): Promise<boolean> {
  const sql = openDatabase(databaseUrl(state), { max: 1, applicationName: "trainer-assignment start" });
  try {
    const [server] = await sql<{ dataDirectory: string }[]>`show data_directory`;
    return server !== undefined && await Deno.realPath(server.dataDirectory) === await Deno.realPath(cluster);
  } catch {
    return false;
  } finally {
    await closeDatabase(sql);
  }
}

function databaseUrl({ port, password }: State): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
}

function clusterFolder(folder: string): string {
  return join(folder, "postgres");
}

function statePath(folder: string): string {
  return join(folder, "postgres.json");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function cannotUse(path: string, error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new OperatorError(`cannot use the data in ${resolve(path)}: ${reason}`);
}
