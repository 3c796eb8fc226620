import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import { createEndpoint } from "../../../src/webhooks/endpoints.ts";
import { readEvents } from "../../../src/webhooks/events.ts";
import { takeDeliveries, tendOutbox } from "../../../src/webhooks/queue.ts";
import { newId, newIds } from "../../support/assignments.ts";
import { testDatabase } from "../../support/databases.ts";
import { pgDump } from "../../support/pg_dump.ts";
import { startTestServer, testedVersion } from "../../support/servers.ts";

/** What a dump's rows are like in a cluster that has counted fewer transactions. */
const FUTURE = 1_000_000;

it("a cluster that counts from anew gives out what was restored, and what comes after it, in order", async () => {
  await using source = await makeSource();
  await using restored = await restore(source.url);
  const { sql } = restored;
  assertEquals((await readEvents(sql, null, { limit: 100 })).events, []);
  await sql`insert into public.members (id) values (${newId()})`;
  await tendOutbox(sql);
  const { events, next } = await readEvents(sql, null, { limit: 100 });
  assertEquals(events.length, 4);
  await sql`insert into public.members (id) values (${newId()})`;
  assertEquals((await readEvents(sql, next, { limit: 100 })).events.length, 1);
  assertEquals((await takeDeliveries(sql, source.endpointId, 10)).length, 3);
});

/** A database with three messages, addressed, as if its cluster were older. */
async function makeSource() {
  const database = await testDatabase();
  const { sql } = database;
  const { id: endpointId } = await createEndpoint(sql, {
    id: newId(),
    url: "http://127.0.0.1:9/",
    secret: "sealed",
    types: ["assignments.created"],
  }, "ops");
  for (const id of newIds(3)) await sql`insert into public.members (id) values (${id})`;
  await sql`select assignment.address_messages()`;
  await sql`update assignment.outbox set xid = (xid::text::bigint + ${FUTURE})::text::xid8`;
  return { url: database.url, endpointId, [Symbol.asyncDispose]: database.drop };
}

/** In another cluster where this server's pg_dump is there, else as it is. */
async function restore(url: string) {
  if (testedVersion() !== "15") {
    const sql = openDatabase(url, { max: 2, applicationName: "restored" });
    return { sql, [Symbol.asyncDispose]: () => closeDatabase(sql, 1) };
  }
  const server = await startTestServer("15");
  const psql = openDatabase(server.url, { max: 1, applicationName: "psql" });
  await psql.unsafe(await pgDump(url, ["--inserts", "--no-owner", "--no-privileges"])).simple();
  await closeDatabase(psql);
  const sql = openDatabase(server.url, { max: 2, applicationName: "restored" });
  return {
    sql,
    async [Symbol.asyncDispose]() {
      await closeDatabase(sql, 1);
      await server.remove();
    },
  };
}
