const WINDOW_MS = 60_000;
const MOST_TRIES = 5;
const MOST_ADDRESSES = 10_000;

/** Counts failed tries to sign in, by address. */
export interface SignInLimit {
  /** The seconds that an address has to wait before its next try; 0 when it may try now. */
  secondsToWait(address: string): number;
  recordFailure(address: string): void;
}

/**
 * Allows five failed tries a minute and address, in this replica. Guessing a token of 256 bits is hopeless anyway: this
 * keeps the log readable and the service idle. Remembers ten thousand addresses; beyond, it forgets the oldest.
 */
export function createSignInLimit(now: () => number = Date.now): SignInLimit {
  const failures = new Map<string, number[]>();
  const recent = (address: string) => (failures.get(address) ?? []).filter((at) => at > now() - WINDOW_MS);
  return {
    secondsToWait(address) {
      const [oldest, ...others] = recent(address).slice(-MOST_TRIES);
      if (oldest === undefined || others.length < MOST_TRIES - 1) return 0;
      return Math.max(1, Math.ceil((oldest + WINDOW_MS - now()) / 1000));
    },
    recordFailure(address) {
      const times = [...recent(address), now()];
      failures.delete(address); // to the end: a Map keeps the order of insertion
      failures.set(address, times);
      const [oldest] = failures.keys();
      if (failures.size > MOST_ADDRESSES && oldest !== undefined) failures.delete(oldest);
    },
  };
}
