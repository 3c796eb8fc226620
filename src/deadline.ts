/** A time that runs until it is lifted. */
export interface Deadline {
  /** Rejects when the time is over; never resolves. */
  over: Promise<never>;
  lift(): void;
}

/** Awaits work no longer than its deadline; then it is left to itself. @param late makes what it rejects with */
export async function inTime<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const deadline = startDeadline(ms, late);
  try {
    return await Promise.race([work, deadline.over]);
  } finally {
    deadline.lift();
  }
}

/**
 * Waits for work no longer than its deadline, then leaves it alone.
 * @returns false when it is late; rejects when the work does in time
 */
export async function endsInTime(work: Promise<unknown>, ms: number): Promise<boolean> {
  const late = new Error("late");
  work.catch(() => {}); // it may fail when nobody waits any more
  try {
    await inTime(work, ms, () => late);
    return true;
  } catch (error) {
    if (error !== late) throw error;
    return false;
  }
}

/** Starts a deadline. @param late makes what it rejects with */
export function startDeadline(ms: number, late: () => Error): Deadline {
  const { promise: over, reject } = Promise.withResolvers<never>();
  over.catch(() => {}); // it may pass when nobody looks any more
  const timer = setTimeout(() => reject(late()), ms);
  return { over, lift: () => clearTimeout(timer) };
}

/** Waits; ends early, without an error, when the signal is given. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
