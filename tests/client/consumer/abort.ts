import assert from "node:assert/strict";
import { argv } from "node:process";
import { createClient } from "trainer-assignment-client";

const [, , baseUrl = "", token = ""] = argv;
const trainers = createClient({ baseUrl, token });
const reason = new Error("no longer needed");
const isReason = (error: unknown) => error === reason;

await assert.rejects(trainers.getPolicy({}, { signal: AbortSignal.abort(reason) }), isReason);

const silent = createClient({ baseUrl: `${baseUrl}/silent`, token });
const isLate = (error: unknown) => error instanceof DOMException && error.name === "TimeoutError";
await assert.rejects(silent.getPolicy({}, { signal: AbortSignal.timeout(50) }), isLate);

const waiting = new AbortController();
const unavailable = createClient({
  baseUrl: `${baseUrl}/unavailable/${crypto.randomUUID()}`,
  token,
  async fetch(input, init) {
    const response = await fetch(input, init);
    setTimeout(() => waiting.abort(reason)); // while it waits for what Retry-After says
    return response;
  },
});
await assert.rejects(unavailable.getPolicy({}, { signal: waiting.signal }), isReason);

const { id } = await trainers.startBackfill({ dryRun: true });
const following = new AbortController();
await assert.rejects(async () => {
  for await (const run of trainers.followBackfill({ id }, { signal: following.signal })) {
    assert.equal(run.id, id);
    following.abort(reason);
  }
}, isReason);
await trainers.cancelBackfill({ id });
