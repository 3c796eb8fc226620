import assert from "node:assert/strict";
import { argv } from "node:process";
import { createClient } from "trainer-assignment-client";

const [, , baseUrl = "", token = "", trainerId = ""] = argv;
const trainers = createClient({ baseUrl, token });

const rows: string[] = [];
for await (const { clientId } of trainers.readRows("listTrainerClients", { trainerId })) rows.push(clientId);
const csv = await new Response(await trainers.openCsv("listTrainerClients", { trainerId })).text();
assert.deepEqual([rows.length, new Set(rows).size], [25, 25]);
assert.deepEqual(csv.trim().split("\r\n").slice(1).map((line) => line.split(",")[0]), rows);

for await (const { status } of trainers.readRows("listTrainerClients", { trainerId })) {
  assert.equal(status, "active");
  break; // ends the stream
}

const broken = createClient({ baseUrl: `${baseUrl}/broken`, token });
await assert.rejects(async () => {
  for await (const { clientId } of broken.readRows("listTrainerClients", { trainerId })) {
    assert.equal(clientId, "a");
  }
}, /the download broke off/);
