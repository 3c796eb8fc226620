import assert from "node:assert/strict";
import { argv } from "node:process";
import { ApiError, createClient } from "trainer-assignment-client";

const [, , baseUrl = "", token = ""] = argv;
const cut = new AbortController();
const trainers = createClient({
  baseUrl,
  token,
  fetch: (input, init) =>
    fetch(input, cut.signal.aborted || init?.method !== "GET" ? init : { ...init, signal: cut.signal }),
});
await trainers.createWebhook({ url: null, types: ["policy.changed"] });
const { next: after } = await trainers.listEvents({ limit: 1000 });

/** Changes the policy; the version that this makes. */
async function change(): Promise<number> {
  const { version, policy } = await trainers.getPolicy();
  const changed = { ...policy, respectsOtherTrainers: !policy.respectsOtherTrainers };
  const written = await trainers.putPolicy({ ...changed, ifMatch: version });
  const stale = { ...policy, rules: [{ name: "None", assign: { choose: "nobody" as const } }] };
  await assert.rejects(
    trainers.putPolicy({ ...stale, ifMatch: version }),
    (error) => error instanceof ApiError && error.code === "policy_changed" && error.status === 412,
  );
  return written.version;
}

const changed = [await change(), await change()];
const seen: unknown[] = [];
const stop = new AbortController();
const reason = new Error("no longer needed");
await assert.rejects(
  async () => {
    for await (const { message, cursor } of trainers.followEvents({ after }, { signal: stop.signal })) {
      assert.deepEqual([message.type, cursor.length], ["policy.changed", 44]);
      seen.push(message.data["version"]);
      if (seen.length === 2) {
        cut.abort(new Error("the connection broke"));
        changed.push(await change());
      }
      if (seen.length === 3) stop.abort(reason);
    }
  },
  (error) => error === reason,
);
assert.deepEqual(seen, changed);
