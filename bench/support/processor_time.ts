import type { Sql } from "../../src/database/sql.ts";

const TICKS_PER_SECOND = 100;

/**
 * The processor time that a PostgreSQL server on this machine has used so far, all its processes together, those that
 * have ended included. The company of others on the machine changes it little, unlike the time on the clock.
 */
export async function serverProcessorSeconds(sql: Sql): Promise<number> {
  const [backend] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`;
  const server = await readProcess(backend.pid).then((process) => process?.parent);
  let ticks = 0;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const process = await readProcess(Number(name));
    if (process === undefined) continue;
    if (process.id === server) ticks += process.own + process.ended;
    else if (process.parent === server) ticks += process.own;
  }
  return ticks / TICKS_PER_SECOND;
}

/** Reads /proc/…/stat; undefined for a process that has ended meanwhile. */
async function readProcess(
  id: number,
): Promise<{ id: number; parent: number; own: number; ended: number } | undefined> {
  const text = await Deno.readTextFile(`/proc/${id}/stat`).catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  const [parent = 0, user = 0, system = 0, endedUser = 0, endedSystem = 0] = [1, 11, 12, 13, 14].map((at) =>
    fields[at]
  );
  return { id, parent, own: user + system, ended: endedUser + endedSystem };
}
