const WINDOW_MS = 60_000;
const MAX_TRIES = 5;
const MAX_NETWORKS = 10_000;

/** Counts failed tries to sign in, by the network they come from. */
export interface SignInLimit {
  /** The seconds that a network has to wait before its next try; 0 when it may try now. */
  secondsToWait(network: string): number;
  recordFailure(network: string): void;
}

/**
 * Allows five failed tries a minute and network, in this replica. Guessing a token of 256 bits is hopeless anyway: this
 * keeps the log readable and the service idle. Remembers ten thousand networks; beyond, it forgets the oldest.
 */
export function createSignInLimit(now: () => number = Date.now): SignInLimit {
  const failures = new Map<string, number[]>();
  const recent = (network: string) => (failures.get(network) ?? []).filter((at) => at > now() - WINDOW_MS);
  return {
    secondsToWait(network) {
      const [oldest, ...others] = recent(network).slice(-MAX_TRIES);
      if (oldest === undefined || others.length < MAX_TRIES - 1) return 0;
      return Math.max(1, Math.ceil((oldest + WINDOW_MS - now()) / 1000));
    },
    recordFailure(network) {
      const times = [...recent(network), now()];
      failures.delete(network); // to the end: a Map keeps the order of insertion
      failures.set(network, times);
      const [oldest] = failures.keys();
      if (failures.size > MAX_NETWORKS && oldest !== undefined) failures.delete(oldest);
    },
  };
}
