import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { CitusDatabase } from "./citus_database.ts";

/** Asks again while a worker is away: a session of the coordinator notices only by an error that it lost one. */
export async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Crashes a worker by killing one of its backends; one on another machine only loses its connections. */
export async function crash(
  database: CitusDatabase,
  worker: CitusDatabase["workers"][number],
): Promise<void> {
  await database.onWorker(worker, async (node) => {
    const [own] = await node<[{ pid: number }]>`select pg_backend_pid() as pid`;
    try {
      Deno.kill(own.pid, "SIGKILL");
    } catch {
      await node`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
      `;
    }
  }).catch(() => {}); // its own connection is gone as well
}

/** Signs members up one by one until told to stop; returns those whose sign-up was acknowledged. */
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
