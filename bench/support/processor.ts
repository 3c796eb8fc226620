/** Seconds of processor time that a process has taken, and those of its children that have ended. */
interface Taken {
  parent: number;
  own: number;
  ended: number;
}

/** The kernel's USER_HZ, which is the same on all of Deno's Linux platforms. */
const TICKS_A_SECOND = 100;

/** Processor time per operation, in microseconds. */
export interface ProcessorUs {
  service: number;
  database: number;
}

/**
 * Measures the processor time of a piece of work, as Linux accounts for it in /proc/PID/stat: of the program's process with
 * all of its threads, and of the database server's processes. It says what a bigger machine would do, and hardly
 * changes with others at work on this one.
 * @param operations tells how many there were, by what the work returned
 */
export async function measureProcessor<T>(
  pids: { service: number; database: number },
  work: () => Promise<T>,
  operations: (result: T) => number,
): Promise<{ result: T; us: ProcessorUs }> {
  const before = read(pids);
  const result = await work();
  const after = read(pids);
  const perOperation = (seconds: number) => seconds * 1e6 / operations(result);
  return {
    result,
    us: {
      service: perOperation(after.service - before.service),
      database: perOperation(after.database - before.database),
    },
  };
}

/** Of the service and the database together, by round. */
export function sumUs(rounds: readonly ProcessorUs[] = []): number[] {
  return rounds.map(({ service, database }) => service + database);
}

function read({ service, database }: { service: number; database: number }): ProcessorUs {
  return { service: readTaken(service)?.own ?? NaN, database: serverSeconds(database) };
}

/** The postmaster, its children, and those whose end it has seen. */
function serverSeconds(postmaster: number): number {
  const server = readTaken(postmaster);
  let seconds = (server?.own ?? NaN) + (server?.ended ?? NaN);
  for (const { name } of Deno.readDirSync("/proc")) {
    const child = /^\d+$/.test(name) ? readTaken(Number(name)) : undefined;
    if (child?.parent === postmaster) seconds += child.own;
  }
  return seconds;
}

/** Undefined for a process that has ended. Fields: proc_pid_stat(5); those before the last bracket may have blanks. */
function readTaken(pid: number): Taken | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  const [, parent = NaN] = fields;
  const [user = NaN, system = NaN, endedUser = NaN, endedSystem = NaN] = fields.slice(11, 15);
  return {
    parent,
    own: (user + system) / TICKS_A_SECOND,
    ended: (endedUser + endedSystem) / TICKS_A_SECOND,
  };
}
