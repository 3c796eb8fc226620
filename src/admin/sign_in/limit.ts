const WINDOW_MS = 60_000;
const MAX_TRIES = 5;
const MAX_NETWORKS = 10_000;

/** Limits failed sign-ins per network. */
export interface SignInLimit {
  /** Returns how long a network must wait before its next try; 0 if it may try now. */
  secondsToWait(network: string): number;
  recordFailure(network: string): void;
}

/**
 * Creates a limit of five failed tries per minute and network on this replica. Its purpose is a readable log
 * and little load: a token of 256 bits cannot be guessed anyway. It remembers ten thousand networks, and
 * forgets the oldest first.
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
      failures.delete(network); // moves it to the end: a Map keeps the order of insertion
      failures.set(network, times);
      const [oldest] = failures.keys();
      if (failures.size > MAX_NETWORKS && oldest !== undefined) failures.delete(oldest);
    },
  };
}
