import { join } from "node:path";
import type { TestServer } from "../support/servers.ts";

/**
 * Kills a PostgreSQL server as a power cut would: the postmaster and all of its children at once, with SIGKILL. Returns
 * when none of them is left. Its data stays for {@link TestServer.start}.
 */
export async function killServer(server: TestServer): Promise<void> {
  const postmaster = await postmasterPid(server);
  const pids = [postmaster, ...await childrenOf(postmaster)];
  for (const pid of pids) kill(pid, "SIGKILL");
  await Promise.all(pids.map(untilGone));
}

/** Stops all of a server's processes where they are, its connections open, until {@link thawServer}. */
export async function freezeServer(server: TestServer): Promise<void> {
  const postmaster = await postmasterPid(server);
  kill(postmaster, "SIGSTOP"); // first: it starts no others
  for (const pid of await childrenOf(postmaster)) kill(pid, "SIGSTOP");
}

/** Lets a frozen server go on; does nothing to one that runs. */
export async function thawServer(server: TestServer): Promise<void> {
  const postmaster = await postmasterPid(server);
  for (const pid of [...await childrenOf(postmaster), postmaster]) kill(pid, "SIGCONT");
}

/** The pid of the server's first process, which is the parent of all others. */
export async function postmasterPid(server: TestServer): Promise<number> {
  const [line] = (await Deno.readTextFile(join(server.folder, "postmaster.pid"))).split("\n");
  return Number(line);
}

/** Sends a signal; a process that has ended by itself is none the worse. */
export function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof TypeError)) throw error;
  }
}

/** The resident memory of a process in bytes, its open file handles and its threads (Linux). */
export async function resourcesOf(pid: number): Promise<{ rssBytes: number; files: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const rssKib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  const files = (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
  return { rssBytes: rssKib * 1024, files };
}

async function childrenOf(parent: number): Promise<number[]> {
  const children = await Deno.readTextFile(`/proc/${parent}/task/${parent}/children`);
  return children.split(" ").filter((pid) => pid !== "").map(Number);
}

/** Waits until a process has ended and its parent has collected it: until then its pid counts as taken. */
async function untilGone(pid: number): Promise<void> {
  while (await Deno.stat(`/proc/${pid}`).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
