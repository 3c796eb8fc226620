import assert from "node:assert/strict";
import { argv } from "node:process";
import { createClient, pages } from "trainer-assignment-client";

const [, , baseUrl = "", token = "", trainerId = ""] = argv;
const trainers = createClient({ baseUrl, token });

const sizes: number[] = [];
const clientIds = new Set<string>();
for await (const { clients } of pages(trainers.listTrainerClients, { trainerId, limit: 10 })) {
  sizes.push(clients.length);
  for (const { clientId } of clients) clientIds.add(clientId);
}
assert.deepEqual([sizes, clientIds.size], [[10, 10, 5], 25]);

let asked = 0;
const counting = createClient({
  baseUrl,
  token,
  fetch(input, init) {
    asked += 1;
    return fetch(input, init);
  },
});
for await (const page of pages(counting.listTrainerClients, { trainerId, limit: 10 })) {
  assert.equal(page.clients.length, 10);
  break;
}
assert.equal(asked, 1);
