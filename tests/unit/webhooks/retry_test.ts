/** When a message is sent again, and what answers mean. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Outcome } from "../../../src/webhooks/outcome.ts";
import { judgeOutcome, MAX_ATTEMPTS, nextAttemptAt, parseRetryAfter } from "../../../src/webhooks/retry.ts";

const NOW = new Date("2026-11-23T10:00:00Z");
const [M, H] = [60, 3600];
const WAITS = [5, 5 * M, 30 * M, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 24 * H];
const reset: Outcome = { failed: "reset", tookMs: 1, message: "" };
const answer = (status: number, retryAfterSeconds: number | null = null): Outcome => ({
  status,
  tookMs: 1,
  answer: "",
  retryAfterSeconds,
});

function secondsUntilNext(failures: number, outcome: Outcome, random = 0): number | null {
  const at = nextAttemptAt(failures, outcome, NOW, () => random);
  return at === null ? null : (at.getTime() - NOW.getTime()) / 1000;
}

describe("the next attempt", () => {
  it("follows the schedule, each wait up to a fifth longer, and ends with it", () => {
    for (const [index, wait] of WAITS.entries()) {
      assertEquals(secondsUntilNext(index + 1, reset, 0), wait);
      assertEquals(secondsUntilNext(index + 1, reset, 0.5), wait + wait / 10);
    }
    assertEquals(secondsUntilNext(WAITS.length + 1, reset), null);
    assertEquals(MAX_ATTEMPTS, 10);
  });

  it("differs from message to message", () => {
    const times = new Set(Array.from({ length: 20 }, () => nextAttemptAt(2, reset, NOW)?.getTime()));
    assert(times.size > 10);
  });

  it("waits for as long as a 429 or 503 asks, up to a day, and never less than the schedule", () => {
    for (const status of [429, 503]) {
      assertEquals(secondsUntilNext(1, answer(status, 90)), 90);
      assertEquals(secondsUntilNext(1, answer(status, 90), 0.5), 99);
      assertEquals(secondsUntilNext(2, answer(status, 90)), 5 * M);
      assertEquals(secondsUntilNext(1, answer(status, 9_999_999_999)), 24 * H);
      assertEquals(secondsUntilNext(1, answer(status, 0)), 5);
      assertEquals(secondsUntilNext(1, answer(status)), 5);
    }
    for (const status of [301, 400, 500, 502]) assertEquals(secondsUntilNext(1, answer(status, 90)), 5);
  });
});

describe("the header Retry-After", () => {
  it("is seconds or a date", () => {
    const headers: [header: string | undefined, seconds: number | null][] = [
      ["0", 0],
      ["120", 120],
      ["Mon, 23 Nov 2026 10:02:00 GMT", 120],
      ["Mon, 23 Nov 2026 09:00:00 GMT", 0],
      [undefined, null],
      ["", null],
      ["-5", null],
      ["1.5", null],
      ["soon", null],
      ["2026-11-23T10:02:00Z", null],
      ["Mon, 99 Nov 2026 10:02:00 GMT", null],
      ["9".repeat(400), null],
    ];
    for (const [header, seconds] of headers) assertEquals(parseRetryAfter(header, NOW), seconds, header);
  });
});

describe("an answer", () => {
  it("of 2xx is success, 410 is gone, all else is a failure", () => {
    for (const status of [200, 201, 202, 204, 299]) assertEquals(judgeOutcome(answer(status)), "delivered");
    assertEquals(judgeOutcome(answer(410)), "gone");
    for (const status of [0, 199, 300, 301, 304, 307, 400, 404, 409, 429, 500, 503, 600]) {
      assertEquals(judgeOutcome(answer(status)), "failed");
    }
    assertEquals(judgeOutcome(reset), "failed");
  });
});
