const WINDOW_MS = 60_000;

/**
 * The most names that a replica remembers. A name without calls for a minute has its whole quota again, so the
 * one that called least recently can be forgotten without a loss, unless more names than this call within one
 * minute.
 */
const MAX_NAMES = 100_000;

/** What a request has left of the caller's quota. */
export interface Quota {
  isExceeded: boolean;
  /** Whole seconds until there is more. */
  waitSeconds: number;
  /** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers). */
  headers: Record<string, string>;
}

/** Counts a request against the quota of a name. */
export type TakeQuota = (name: string) => Quota;

/**
 * Limits the requests per minute of each name by the generic cell rate algorithm: all of them at once
 * if needed, then one more with each part of the minute. A refused request costs nothing. For each name it
 * keeps the time when the quota is whole again. Returns null for 0: no limit.
 * @param now a clock in milliseconds that never goes back.
 */
export function createRateLimit(perMinute: number, now = () => performance.now()): TakeQuota | null {
  if (perMinute === 0) return null;
  const intervalMs = WINDOW_MS / perMinute;
  const roundingMs = intervalMs / 100; // sums of fractions are not exact
  const wholeAt = new Map<string, number>();
  const policy = `"token";q=${perMinute};w=${WINDOW_MS / 1000}`;

  return function takeQuota(name) {
    const at = now();
    const before = Math.max(wholeAt.get(name) ?? at, at);
    const isExceeded = before + intervalMs - at > WINDOW_MS + roundingMs;
    const after = isExceeded ? before : before + intervalMs;
    if (!isExceeded) remember(name, after);
    const freeMs = WINDOW_MS - (after - at);
    const remaining = Math.max(0, Math.floor((freeMs + roundingMs) / intervalMs));
    const waitSeconds = Math.max(1, Math.ceil(((remaining + 1) * intervalMs - freeMs - roundingMs) / 1000));
    const headers = {
      "RateLimit-Policy": policy,
      RateLimit: `"token";r=${remaining};t=${waitSeconds}`,
    };
    return { isExceeded, waitSeconds, headers };
  };

  /** Keeps the names in the order in which they called. */
  function remember(name: string, at: number): void {
    wholeAt.delete(name);
    if (wholeAt.size >= MAX_NAMES) {
      for (const oldest of wholeAt.keys()) {
        wholeAt.delete(oldest);
        break;
      }
    }
    wholeAt.set(name, at);
  }
}
