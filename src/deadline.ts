/** A time limit that is running. */
export interface Deadline {
  /** Rejects when the time is over. Never resolves. */
  over: Promise<never>;
  /** Whether the time was over before the limit was lifted. */
  isOver(): boolean;
  /** Cancels the time limit. */
  lift(): void;
}

/**
 * Awaits work, at most until its deadline. The work itself is not stopped.
 * @param late creates the error at the deadline
 */
export async function inTime<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const deadline = startDeadline(ms, late);
  try {
    return await Promise.race([work, deadline.over]);
  } finally {
    deadline.lift();
  }
}

/**
 * Awaits work, at most until its deadline. The work itself is not stopped.
 * @returns false if it is late; rejects if the work rejects in time
 */
export async function endsInTime(work: Promise<unknown>, ms: number): Promise<boolean> {
  const late = new Error("late");
  work.catch(() => {}); // it may fail after the deadline
  try {
    await inTime(work, ms, () => late);
    return true;
  } catch (error) {
    if (error !== late) throw error;
    return false;
  }
}

/** Starts a deadline. @param late creates the error at the deadline */
export function startDeadline(ms: number, late: () => Error): Deadline {
  const { promise: over, reject } = Promise.withResolvers<never>();
  over.catch(() => {}); // nobody may be waiting at the deadline
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    reject(late());
  }, ms);
  return { over, isOver: () => isOver, lift: () => clearTimeout(timer) };
}

/** Waits. Ends early, without an error, when the signal is given. */
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
