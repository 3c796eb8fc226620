/** A time that runs until it is lifted. */
export interface Deadline {
  /** Rejects when the time is over; never resolves. */
  over: Promise<never>;
  lift(): void;
}

/** Starts a deadline. @param late makes what it rejects with */
export function startDeadline(ms: number, late: () => Error): Deadline {
  const { promise: over, reject } = Promise.withResolvers<never>();
  over.catch(() => {}); // it may pass when nobody looks any more
  const timer = setTimeout(() => reject(late()), ms);
  return { over, lift: () => clearTimeout(timer) };
}
