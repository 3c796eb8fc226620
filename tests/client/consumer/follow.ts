import assert from "node:assert/strict";
import { argv } from "node:process";
import { createClient } from "trainer-assignment-client";

const [, , baseUrl = "", token = ""] = argv;
const trainers = createClient({ baseUrl, token });

const { id } = await trainers.startBackfill({ dryRun: true });
const states: string[] = [];
for await (const { status } of trainers.followBackfill({ id })) {
  states.push(status);
  if (status === "running") await trainers.pauseBackfill({ id });
  if (status === "paused") await trainers.cancelBackfill({ id });
}
assert.deepEqual(states, ["running", "paused", "cancelled"]);
