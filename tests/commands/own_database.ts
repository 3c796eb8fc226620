import { join } from "node:path";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { copyProject, type Project, type RunningTask } from "../support/project.ts";

/** A copy of the project whose service has a database of its own, in `.data`. */
export interface OwnDatabase {
  project: Project;
  /** Starts the service; {@link OwnDatabase.reset} stops it. */
  start(environment?: Record<string, string>): RunningTask;
  /** Keeps the data that are there now: those that each reset puts back. */
  keepData(): Promise<void>;
  /** Stops what runs, and puts back the data that were kept, or none. */
  reset(): Promise<void>;
  remove(): Promise<void>;
}

export async function ownDatabase(): Promise<OwnDatabase> {
  const project = await copyProject();
  const data = join(project.folder, ".data");
  const kept = join(project.folder, ".kept");
  let running: RunningTask[] = [];
  const copy = async (from: string, to: string) => {
    const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).spawn().status;
    if (!success) throw new Error(`cannot copy ${from}`);
  };
  return {
    project,
    start(environment) {
      const task = project.spawn("start", environment);
      running.push(task);
      task.ended.then(() => running = running.filter((each) => each !== task));
      return task;
    },
    keepData: () => copy(data, kept),
    async reset() {
      for (const task of running) task.kill("SIGTERM");
      await Promise.all(running.map(({ ended }) => ended));
      if (await exists(join(data, "postgres/postmaster.pid"))) {
        await project.run("migrate", ["status"]); // takes over what a killed service left, and stops it
      }
      await Deno.remove(data, { recursive: true });
      if (await exists(kept)) await copy(kept, data);
    },
    remove: project.remove,
  };
}

export const oneLine = /^error: [^\n]+\n$/;

export interface Service {
  address: string;
  databaseUrl: string;
  token: string;
}

export async function ready(task: RunningTask): Promise<Service> {
  const [, address = "", databaseUrl = "", token = ""] = await task.line(
    /Service +(http\S+)[^]+Database +(postgres:\S+)[^]+Admin token +(ta_\S+)[^]+Ctrl-C/,
  );
  return { address, databaseUrl, token };
}

export async function withSql<T>(url: string, work: (sql: Sql) => PromiseLike<T>): Promise<T> {
  const sql = openDatabase(url, { max: 1, applicationName: "test" });
  try {
    return await work(sql);
  } finally {
    await closeDatabase(sql);
  }
}

/** The first line of the file that a running server keeps. */
export async function serverPid(project: Project): Promise<number> {
  const text = await Deno.readTextFile(join(project.folder, ".data/postgres/postmaster.pid"));
  return Number(text.split("\n")[0]);
}

/** A process that has ended may be listed for a moment longer, as a zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", String(pid)] }).output();
  return /^[^Z]/.test(new TextDecoder().decode(stdout).trim());
}

export async function isListening(address: string): Promise<boolean> {
  try {
    await (await fetch(address)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

export function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
