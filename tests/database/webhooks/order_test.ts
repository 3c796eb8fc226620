import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import { createEndpoint } from "../../../src/webhooks/endpoints.ts";
import { type Place, readEvents } from "../../../src/webhooks/events.ts";
import { newId } from "../../support/assignments.ts";
import { testDatabase } from "../../support/databases.ts";
import { waitUntil } from "../../support/wait_until.ts";

const WRITERS = 32;
const ROUNDS = 5;

it("messages of 32 transactions that commit in any order are fetched once each, in one order", async () => {
  const database = await testDatabase();
  const { sql } = database;
  await createEndpoint(sql, { id: newId(), types: ["assignments.created"] }, "ops");
  const pool = openDatabase(database.url, { max: WRITERS, applicationName: "writers" });

  const seen: string[] = [];
  let place: Place | null = null;
  let isOver = false;
  const reading = (async () => {
    while (!isOver) await readPage();
  })();
  async function readPage(): Promise<void> {
    const page = await readEvents(sql, place, { limit: 7 });
    seen.push(...page.events.map(({ id }) => id));
    place = page.next;
  }

  for (let round = 0; round < ROUNDS; round++) await writeAndCommit(shuffle(WRITERS));
  await waitUntil("all are fetched", () => seen.length >= ROUNDS * WRITERS);
  isOver = true;
  await reading;

  const { events } = await readEvents(sql, null, { limit: 1000 });
  assertEquals(seen, events.map(({ id }) => id));
  assertEquals(new Set(seen).size, ROUNDS * WRITERS);
  await closeDatabase(pool);
  await database.drop();

  /** All write one after the other, and commit in the given order; each sees the one before gone. */
  async function writeAndCommit(order: number[]): Promise<void> {
    const commits: { allow: () => void; done: Promise<unknown> }[] = [];
    for (let writer = 0; writer < WRITERS; writer++) {
      const written = Promise.withResolvers<void>();
      const allowed = Promise.withResolvers<void>();
      const done = pool.begin(async (transaction) => {
        await transaction`insert into public.members (id) values (${newId()})`;
        written.resolve();
        await allowed.promise;
      });
      await written.promise;
      commits.push({ allow: allowed.resolve, done });
    }
    for (const writer of order) {
      const commit = commits[writer];
      commit?.allow();
      await commit?.done;
    }
  }
});

function shuffle(count: number): number[] {
  return Array.from({ length: count }, (_, at) => ({ at, by: Math.random() })).sort((a, b) => a.by - b.by)
    .map(({ at }) => at);
}
