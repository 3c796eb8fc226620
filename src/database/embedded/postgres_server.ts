import { join, resolve } from "node:path";
import { OperatorError } from "../../errors.ts";
import { type Account, accountFor, runAs } from "./server_account.ts";

/** Where the programs of one PostgreSQL version are. */
export interface PostgresBinaries {
  initdb: string;
  pgCtl: string;
}

export const SUPERUSER = "postgres";
const START_TIMEOUT_SECONDS = 60;
const STOP_TIMEOUT_SECONDS = 10;
const LOG_FILE = "server.log";

/**
 * Creates a cluster in a new folder: UTF-8, SCRAM passwords, one superuser, `postgres`. If this process is
 * root, another account owns the folder, because PostgreSQL refuses to run as root.
 * @param options.sync false leaves flushing to the operating system: for tests only.
 */
export async function createCluster(
  binaries: PostgresBinaries,
  folder: string,
  options: { password: string; sync: boolean },
): Promise<void> {
  const account = await accountFor();
  const passwordFile = `${folder}.password`;
  await Deno.mkdir(folder, { mode: 0o700 });
  try {
    await Deno.writeTextFile(passwordFile, options.password, { mode: 0o600 });
    if (account !== null) {
      await Deno.chown(folder, account.uid, account.gid);
      await Deno.chown(passwordFile, account.uid, account.gid);
    }
    const result = await runAs(account, binaries.initdb, [
      `--pgdata=${resolve(folder)}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${resolve(passwordFile)}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--no-instructions",
      ...(options.sync ? [] : ["--no-sync"]),
    ], [folder]);
    if (!result.success) throw new OperatorError(`initdb failed: ${lastLine(result.output)}`);
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  } finally {
    await Deno.remove(passwordFile).catch(() => {});
  }
}

/**
 * Starts the cluster's server on the loopback address, and returns when it accepts connections. A Ctrl-C at the
 * terminal does not reach it, because it runs in its own session: the process that started it stops it, after
 * its clients.
 * @param settings server settings by name, such as `{ fsync: "off" }`; values without spaces.
 * @throws {OperatorError} with the last line of the server's log when it does not start.
 */
export async function startServer(
  binaries: PostgresBinaries,
  folder: string,
  port: number,
  settings: Record<string, string> = {},
): Promise<void> {
  const log = join(resolve(folder), LOG_FILE);
  await Deno.remove(log).catch(() => {});
  const options = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    log_checkpoints: "off",
    ...settings,
  };
  const result = await runAs(await accountOf(folder), binaries.pgCtl, [
    "start",
    `--pgdata=${resolve(folder)}`,
    `--log=${log}`,
    `--timeout=${START_TIMEOUT_SECONDS}`,
    "--wait",
    "--silent",
    `--options=-p ${port} ${Object.entries(options).map(([name, value]) => `-c ${name}=${value}`).join(" ")}`,
  ], [folder]);
  if (result.success) return;
  const words = await Deno.readTextFile(log).catch(() => result.output);
  throw new OperatorError(`PostgreSQL did not start: ${lastLine(words, "FATAL")}`);
}

/** Stops the cluster's server and disconnects its clients. After a deadline it does not wait for a clean shutdown. */
export async function stopServer(binaries: PostgresBinaries, folder: string): Promise<void> {
  const account = await accountOf(folder);
  for (const mode of ["fast", "immediate"]) {
    if (!await isServerRunning(binaries, folder)) return;
    await runAs(account, binaries.pgCtl, [
      "stop",
      `--pgdata=${resolve(folder)}`,
      `--mode=${mode}`,
      `--timeout=${STOP_TIMEOUT_SECONDS}`,
      "--wait",
      "--silent",
    ], [folder]);
  }
  if (await isServerRunning(binaries, folder)) {
    throw new OperatorError(`the PostgreSQL server in ${folder} does not stop`);
  }
}

/** Tells whether a server runs on the cluster, whoever started it. */
export async function isServerRunning(binaries: PostgresBinaries, folder: string): Promise<boolean> {
  const account = await accountOf(folder);
  const result = await runAs(account, binaries.pgCtl, ["status", `--pgdata=${resolve(folder)}`], [folder]);
  return result.success;
}

/**
 * Finds a port that is free at this moment, of those that no system gives to outgoing connections: one of these could
 * take it while its server restarts.
 */
export function findFreePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (isPortFree(port)) return port;
  }
}

/** Tells whether a port is free at this moment. */
export function isPortFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

/** Returns the owner of the cluster's folder, the only account that can run its server. */
async function accountOf(folder: string): Promise<Account | null> {
  const { uid, gid } = await Deno.stat(folder);
  return await accountFor(uid === null || gid === null || uid === 0 ? undefined : { uid, gid });
}

function lastLine(text: string, containing = ""): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.findLast((line) => line.includes(containing)) ?? lines.at(-1) ?? "no message";
}
