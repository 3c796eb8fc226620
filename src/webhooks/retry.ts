import type { Outcome } from "./outcome.ts";

const MINUTE_S = 60;
const HOUR_S = 3600;

/** The waits after the first, second, … failure, by the example of the Standard Webhooks specification. */
const WAITS_S = [
  5,
  5 * MINUTE_S,
  30 * MINUTE_S,
  2 * HOUR_S,
  5 * HOUR_S,
  10 * HOUR_S,
  14 * HOUR_S,
  20 * HOUR_S,
  24 * HOUR_S,
];
/** A wait is up to a fifth longer, so that what failed together does not come back together. */
const JITTER_RATIO = 0.2;
/** A receiver cannot put a message off for longer. */
const MAX_RETRY_AFTER_S = 24 * HOUR_S;

/** How many times a message is sent at most by itself. */
export const MAX_ATTEMPTS = WAITS_S.length + 1;

/** What an outcome means for the message: `gone` also disables the endpoint. */
export type Verdict = "delivered" | "gone" | "failed";

/** Judges an outcome: 2xx is success, 410 means that the receiver wants no more messages, all else is a failure. */
export function judgeOutcome(outcome: Outcome): Verdict {
  if ("failed" in outcome) return "failed";
  if (outcome.status >= 200 && outcome.status <= 299) return "delivered";
  return outcome.status === 410 ? "gone" : "failed";
}

/**
 * Returns when a message is due again that failed; null after the last attempt.
 * @param failures how often it failed, this time included
 * @param outcome the last one: the Retry-After of a 429 or 503 makes the wait longer, up to a day
 */
export function nextAttemptAt(
  failures: number,
  outcome: Outcome,
  now: Date,
  random: () => number = Math.random,
): Date | null {
  const waitSeconds = WAITS_S[failures - 1];
  if (waitSeconds === undefined) return null;
  const seconds = Math.max(waitSeconds, askedSeconds(outcome)) * (1 + JITTER_RATIO * random());
  return new Date(now.getTime() + Math.round(seconds * 1000));
}

function askedSeconds(outcome: Outcome): number {
  if ("failed" in outcome || ![429, 503].includes(outcome.status)) return 0;
  return Math.min(outcome.retryAfterSeconds ?? 0, MAX_RETRY_AFTER_S);
}

/** Parses the header Retry-After: seconds or an HTTP date; null for anything else. */
export function parseRetryAfter(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  if (/^\d{1,10}$/.test(header)) return Number(header);
  if (!/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(header)) return null;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}
