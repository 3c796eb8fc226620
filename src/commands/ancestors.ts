import { delay } from "../deadline.ts";

const LOOK_EVERY_MS = 1_000;

/**
 * Waits until a process that this one descends from has ended: `npx` passes SIGTERM to its shell alone, whose children
 * go on without this.
 * @returns false when the signal was given first, or where there is no `ps`
 */
export async function awaitLostAncestor(signal: AbortSignal): Promise<boolean> {
  const first = await findAncestors();
  if (first === null) return false;
  while (!signal.aborted) {
    await delay(LOOK_EVERY_MS, signal);
    const now = await findAncestors();
    if (now !== null && now.join() !== first.join()) return true;
  }
  return false;
}

/** The process ids of the parent, its parent and so on; null where they cannot be found. */
async function findAncestors(): Promise<number[] | null> {
  const ps = new Deno.Command("ps", { args: ["-A", "-o", "pid=,ppid="], stdin: "null", stderr: "null" });
  const result = await ps.output().catch(() => null);
  if (result === null || !result.success) return null;
  const lines = new TextDecoder().decode(result.stdout).trim().split("\n");
  const parents = new Map(
    lines.map((line) => line.trim().split(/\s+/).map(Number)).map(([pid = 0, ppid = 0]) => [pid, ppid]),
  );
  const ancestors: number[] = [];
  for (let pid = parents.get(Deno.pid); pid !== undefined && pid > 0; pid = parents.get(pid)) {
    ancestors.push(pid);
  }
  return ancestors;
}
