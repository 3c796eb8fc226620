import { delay } from "../deadline.ts";

const LOOK_EVERY_MS = 1_000;
const NPX_TITLE = /^npm exec\b/;

interface Process {
  parent: number;
  title: string;
}

/**
 * Waits until npx, or a process between npx and this one, has ended. npx passes SIGTERM only to its shell, and
 * without this the shell's children would go on running. The process that started npx may end earlier.
 * @returns false when the signal was given first, or where npx is not found
 */
export async function awaitLostAncestor(signal: AbortSignal): Promise<boolean> {
  const parents = await findParentsUpToNpx();
  if (parents.size === 0) return false;
  while (!signal.aborted) {
    await delay(LOOK_EVERY_MS, signal);
    const now = await readProcesses([...parents.keys()]);
    // A process that ended is missing, or its child has another parent.
    if (now.size > 0 && parents.entries().some(([pid, parent]) => now.get(pid)?.parent !== parent)) {
      return true;
    }
  }
  return false;
}

/** The parent of this process, the parent's and so on; npx is the last. Empty where it is not found. */
async function findParentsUpToNpx(): Promise<Map<number, number>> {
  const parents = new Map<number, number>();
  for (let pid = Deno.pid;;) {
    const process = (await readProcesses([pid])).get(pid);
    if (process === undefined) return new Map();
    if (NPX_TITLE.test(process.title)) return parents;
    parents.set(pid, process.parent);
    pid = process.parent;
  }
}

/** Lists those of the processes that exist; none if the system has no program to list them. */
async function readProcesses(pids: number[]): Promise<Map<number, Process>> {
  // Deno may not read /proc without all permissions; small images with Node have no ps.
  const [program, args, line] = Deno.build.os === "linux"
    ? ["cat", pids.map((pid) => `/proc/${pid}/stat`), /^(?<pid>\d+) \((?<title>.*)\) \S (?<parent>\d+) /gm]
    : [
      "ps",
      ["-o", "pid=,ppid=,args=", "-p", pids.join()],
      /^ *(?<pid>\d+) +(?<parent>\d+) +(?<title>.*)$/gm,
    ];
  try {
    const { stdout } = await new Deno.Command(program, { args, stdin: "null", stderr: "null" }).output();
    const lines = new TextDecoder().decode(stdout).matchAll(line).map(({ groups = {} }) => groups);
    return new Map(
      lines.map(({ pid, parent, title = "" }) => [Number(pid), { parent: Number(parent), title }]),
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw error;
  }
}
