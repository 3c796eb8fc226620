/** Watches a process's resident memory; Linux tells it in /proc. */
export interface MemoryWatch {
  /** Stops watching; the most that was seen, in MB. */
  most(): number;
}

const EVERY_MS = 100;

/** Reads how much memory a process has in RAM, in MB. */
export function residentMb(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1024;
}

/** Begins to watch a process. */
export function watchMemory(pid: number): MemoryWatch {
  let most = residentMb(pid);
  const timer = setInterval(() => most = Math.max(most, residentMb(pid)), EVERY_MS);
  return {
    most() {
      clearInterval(timer);
      return Math.max(most, residentMb(pid));
    },
  };
}
