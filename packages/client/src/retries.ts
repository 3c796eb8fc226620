import { ApiError } from "./api_error.ts";
import { delay } from "./deadline.ts";
import type { ClientOptions } from "./options.ts";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;
const TRANSIENT = [429, 502, 503, 504];

/**
 * Waits before the next try: for `Retry-After`, plus an exponential backoff with jitter, so that many clients do
 * not return at once.
 * @param error what the last try threw
 * @param tries so far, without success
 * @throws the error if there is no next try; the signal's reason
 */
export async function waitToRetry(
  error: unknown,
  tries: number,
  { maxTries = 4, maxWaitMs = 30_000 }: ClientOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const leastMs = error instanceof ApiError ? error.retryAfterSeconds * 1000 : 0;
  if (!isTransient(error) || leastMs > maxWaitMs || tries >= maxTries) throw error;
  await delay(leastMs + backoffMs(tries), signal);
  signal?.throwIfAborted();
}

/** Whether the work took too long: for the client, for the service (504) or for its database (`database_busy`). */
export function isLate(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 504 || error.code === "database_busy";
  return error instanceof DOMException && error.name === "TimeoutError";
}

/** A try fails without an `ApiError` only if nobody answered or the answer broke off. */
function isTransient(error: unknown): boolean {
  return !(error instanceof ApiError) || TRANSIENT.includes(error.status);
}

/** Doubles each time; jitter takes off up to half. */
function backoffMs(tries: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}
