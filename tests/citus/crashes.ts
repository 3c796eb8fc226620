import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import type { CitusDatabase } from "./citus_database.ts";

/** Asks again while a worker is away: a session of the coordinator notices only by an error that it lost one. */
export async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/**
 * Crashes a node's server by killing one of its backends, and returns when its connections are lost. A node on another
 * machine only loses its connections.
 */
export async function crash(
  { name, onWorker }: CitusDatabase,
  node: CitusDatabase["workers"][number],
): Promise<void> {
  await onWorker(node, async (witness) => {
    const pid = await findOwnPid(witness);
    await onWorker(node, (victim) => killOwn(victim, name)).catch(() => {});
    while (await findOwnPid(witness) === pid) await new Promise((resolve) => setTimeout(resolve, 10));
  }).catch(() => {}); // both connections are lost
}

/** Kills the session's backend; where that is on another machine, ends the connections of the others. */
async function killOwn(sql: Sql, databaseName: string): Promise<void> {
  const pid = await findOwnPid(sql);
  const title = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  if (title.includes(databaseName)) return Deno.kill(pid, "SIGKILL");
  await sql`
    select pg_terminate_backend(pid)
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
  `;
}

async function findOwnPid(sql: Sql): Promise<number> {
  const [own] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`;
  return own.pid;
}

/** Signs members up one by one until told to stop; returns those whose signup was acknowledged. */
export async function signUp(database: CitusDatabase, signal: AbortSignal): Promise<string[]> {
  const session = openDatabase(database.url, { max: 1, applicationName: "load" });
  const acknowledged: string[] = [];
  while (!signal.aborted) {
    const id = crypto.randomUUID();
    await session`insert into public.members (id) values (${id})`.then(
      () => acknowledged.push(id),
      () => {},
    );
  }
  await closeDatabase(session, 1);
  return acknowledged;
}
