import assert from "node:assert/strict";
import { argv } from "node:process";
import { ApiError, createClient } from "trainer-assignment-client";

const [, , baseUrl = "", token = "", trainerId = ""] = argv;

/** A client whose first request is answered with 503 and `Retry-After: 1`. */
function unavailableOnce(maxWaitMs: number) {
  let asked = 0;
  const client = createClient({
    baseUrl: `${baseUrl}/unavailable/${crypto.randomUUID()}`,
    token,
    maxWaitMs,
    fetch(input, init) {
      asked += 1;
      return fetch(input, init);
    },
  });
  return { client, asked: () => asked };
}

const read = unavailableOnce(30_000);
const began = performance.now();
assert.equal((await read.client.getTrainer({ trainerId })).trainerId, trainerId);
assert.equal(read.asked(), 2);
assert.ok(performance.now() - began >= 1000);

const isUnavailable = (error: unknown) =>
  error instanceof ApiError && error.status === 503 && error.retryAfterSeconds === 1;
const impatient = unavailableOnce(500);
await assert.rejects(impatient.client.getTrainer({ trainerId }), isUnavailable);
const start = unavailableOnce(30_000);
await assert.rejects(start.client.startBackfill({ dryRun: true }), isUnavailable);
assert.deepEqual([impatient.asked(), start.asked()], [1, 1]);
