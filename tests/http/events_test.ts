import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { openDatabase } from "../../src/database/connection.ts";
import { writeEventCursor } from "../../src/http/event_cursor.ts";
import { createEndpoint } from "../../src/webhooks/endpoints.ts";
import { newId } from "../support/assignments.ts";
import { addressMessages } from "../../src/webhooks/queue.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

interface Event {
  id: string;
  type: string;
  timestamp: string;
  data: { assignments: { memberId: string }[] };
}
interface Page {
  events: Event[];
  next: string;
}

async function readPage(service: TestService, query: Record<string, string> = {}): Promise<Page> {
  const response = await service.call(`GET /v1/events?${new URLSearchParams(query)}`, { as: "service" });
  assertEquals(response.status, 200);
  return await response.json();
}

async function readCode(service: TestService, query: Record<string, string>): Promise<[number, string]> {
  const response = await service.call(`GET /v1/events?${new URLSearchParams(query)}`);
  return [response.status, (await response.json()).code];
}

function membersOf(events: Event[]): string[] {
  return events.flatMap(({ data }) => data.assignments.map(({ memberId }) => memberId));
}

describe("messages that are fetched", () => {
  let service: TestService;
  beforeEach(async () => {
    service = await testService();
    await createEndpoint(service.sql, {
      id: newId(),
      types: ["assignments.created", "assignments.ended", "policy.changed"],
    }, "ops");
  });
  afterEach(() => service.stop());

  it("come oldest first, in pages whose cursor is always there", async () => {
    const nothing = await readPage(service);
    assertEquals(nothing.events, []);
    const ids = [];
    for (let count = 0; count < 5; count++) ids.push(...await addMembers(service.sql, 1));
    const first = await readPage(service, { after: nothing.next, limit: "2" });
    const second = await readPage(service, { after: first.next, limit: "3" });
    assertEquals(membersOf([...first.events, ...second.events]), ids);
    const [event] = first.events;
    assertEquals([event?.type, Object.keys(event ?? {}).sort()], [
      "assignments.created",
      ["data", "id", "timestamp", "type"],
    ]);
    const end = await readPage(service, { after: second.next });
    assertEquals(end, { events: [], next: second.next });
    const [later] = await addMembers(service.sql, 1);
    assertEquals(membersOf((await readPage(service, { after: end.next })).events), [later]);
    assertEquals(membersOf((await readPage(service)).events), [...ids, later]);
  });

  it("are those of the wanted types, and the cursor goes past the others", async () => {
    await addMembers(service.sql, 3);
    const { events, next } = await readPage(service, { types: "policy.changed,assignments.ended" });
    assertEquals(events, []);
    assertEquals(next, (await readPage(service)).next);
    assertEquals((await readPage(service, { types: "assignments.created", after: next })).events, []);
    assertEquals(await readCode(service, { types: "assignments.created,nothing" }), [400, "invalid_request"]);
    assertEquals(await readCode(service, { types: "" }), [400, "invalid_request"]);
  });

  it("tell of no member who is deleted, and the cursor goes past them", async () => {
    const [one = "", two = ""] = await addMembers(service.sql, 2);
    const [three = ""] = await addMembers(service.sql, 1);
    await service.sql`delete from public.members where id in ${service.sql([one, three])}`;
    const page = await readPage(service);
    assertEquals(membersOf(page.events), [two]);
    await service.sql`delete from public.members where id = ${two}`;
    const empty = await readPage(service);
    assertEquals(empty, { events: [], next: page.next });
  });

  it("hold no test messages", async () => {
    const { id } = await createEndpoint(service.sql, {
      id: newId(),
      url: "https://crm.example.com",
      secret: "sealed",
      types: ["assignments.created"],
    }, "ops");
    await service.call(`POST /v1/webhooks/${id}/test`);
    assertEquals((await readPage(service)).events, []);
  });

  it("end a page early when they tell of many members", async () => {
    await addMembers(service.sql, 12_000);
    const sizes = [];
    let page = await readPage(service);
    for (; page.events.length > 0; page = await readPage(service, { after: page.next })) {
      sizes.push(membersOf(page.events).length);
    }
    assertEquals(sizes, [5000, 5000, 2000]);
  });

  it("are refused to a cursor that is not theirs", async () => {
    const { next } = await readPage(service);
    const altered = next.replace(/.$/, (last) => last === "A" ? "B" : "A");
    for (const after of ["x", "", altered, next.slice(1), `${next}A`, next.toLowerCase()]) {
      assertEquals(await readCode(service, { after }), [400, "invalid_cursor"], after);
    }
  });

  it("say it to a consumer who was away for so long that messages are gone", async () => {
    await addMembers(service.sql, 1);
    const { next: early } = await readPage(service, { limit: "1" });
    await addMembers(service.sql, 2);
    const { next: seen } = await readPage(service);
    await addressMessages(service.sql);
    await service.sql`update assignment.outbox set at = now() - interval '8 days'`;
    await service.sql`select assignment.tend_outbox()`;

    assertEquals(await readCode(service, { after: early }), [410, "cursor_expired"]);
    assertEquals((await readPage(service, { after: early, types: "policy.changed" })).events, []);
    const [later] = await addMembers(service.sql, 1);
    assertEquals(membersOf((await readPage(service, { after: seen })).events), [later]);
    assertEquals(membersOf((await readPage(service)).events), [later]);
  });

  it("say it to a consumer who began before the first message, too", async () => {
    const { next: start } = await readPage(service);
    await addMembers(service.sql, 1);
    await addressMessages(service.sql);
    await service.sql`update assignment.outbox set at = now() - interval '8 days'`;
    await service.sql`select assignment.tend_outbox()`;
    assertEquals(await readCode(service, { after: start }), [410, "cursor_expired"]);
    const { next } = await readPage(service);
    assertNotEquals(next, start);
    assertEquals(await readPage(service, { after: next }), { events: [], next });
  });

  it("say it when the database was restored from before the cursor, and come again", async () => {
    const ids = await addMembers(service.sql, 1);
    // What a restored database has: messages of transactions that it has not begun yet.
    await service.sql`update assignment.outbox set xid = (xid::text::bigint + 1000000)::text::xid8`;
    await service.sql`
      insert into assignment.outbox_forgotten
      values ('assignments.created', (pg_current_xact_id()::text::bigint + 900000)::text::xid8, ${newId()})
    `;
    await service.sql`select assignment.tend_outbox()`;
    const page = await readPage(service);
    assertEquals(membersOf(page.events), ids);
    assertEquals((await readPage(service, { after: page.next })).events, []);
    const fromTheFuture = writeEventCursor({ xid: String(1n << 40n), id: newId() });
    assertEquals(await readCode(service, { after: fromTheFuture }), [410, "cursor_expired"]);
  });

  it("wait for a transaction that is still writing, and skip nothing of it", async () => {
    const session = await service.sql.reserve();
    await session`begin`;
    const early = newId();
    await session`insert into public.members (id) values (${early})`;
    const [late = ""] = await addMembers(service.sql, 1);
    const waiting = await readPage(service);
    assertEquals(waiting.events, []);
    await session`commit`;
    session.release();
    const { events } = await readPage(service, { after: waiting.next });
    assertEquals(membersOf(events).toSorted(), [early, late].toSorted());
  });
});

describe("messages of 32 writers", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
    await createEndpoint(service.sql, { id: newId(), types: ["assignments.created"] }, "ops");
  });
  afterAll(() => service.stop());

  it("are read once each, in one order, whatever the order of their commits", async () => {
    const { sql } = service;
    const committed: string[] = [];
    const pool = openDatabase(service.database.serviceUrl, { max: 32, applicationName: "writers" });
    async function write(writer: number): Promise<void> {
      for (let round = 0; round < 6; round++) {
        const ids = Array.from({ length: 1 + (writer + round) % 3 }, newId);
        await pool.begin(async (transaction) => {
          for (const id of ids) {
            await transaction`insert into public.members (id) values (${id})`;
            await transaction`select pg_sleep(${((writer * 7 + round * 13) % 10) / 200})`;
          }
          if (round % 4 === 3) throw new Error("rolled back");
          committed.push(...ids);
        }).catch((error) => assertEquals(error.message, "rolled back"));
      }
    }
    const read: Event[] = [];
    let next: string | undefined;
    async function readOn(): Promise<number> {
      const page = await readPage(service, { limit: "7", ...(next === undefined ? {} : { after: next }) });
      read.push(...page.events);
      next = page.next;
      return page.events.length;
    }

    let isWriting = true;
    const writing = Promise.all(Array.from({ length: 32 }, (_, writer) => write(writer)))
      .finally(() => isWriting = false);
    while (isWriting) await readOn();
    await writing;
    await pool.end({ timeout: 5 });
    const whileTheyWrote = read.length;
    while (await readOn() > 0);

    assertEquals(membersOf(read).toSorted(), committed.toSorted());
    assert(whileTheyWrote > 0, "there was nothing to read while they wrote: the test shows nothing");
    const again: Event[] = [];
    for (let page = await readPage(service, { limit: "50" }); page.events.length > 0;) {
      again.push(...page.events);
      page = await readPage(service, { limit: "50", after: page.next });
    }
    assertEquals(again.map(({ id }) => id), read.map(({ id }) => id));
    assertEquals((await sql`select from assignment.outbox`).length, read.length);
  });
});
