import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { AppError } from "../../src/errors.ts";
import { createEventStreams, type EventStreamsOptions } from "../../src/http/event_streams.ts";
import { Problem } from "../../src/http/problems.ts";
import { createEndpoint, deleteEndpoint } from "../../src/webhooks/endpoints.ts";
import { type EventPage, isAfter, type Place, START } from "../../src/webhooks/events.ts";
import { newId } from "../support/assignments.ts";
import { eventReader } from "./event_reader.ts";
import { addMembers, recordingLogger, type TestService, testService } from "./test_service.ts";

/** Reads a stream of messages. */
function messageReader(stream: ReadableStream<Uint8Array> | null) {
  const events = eventReader(stream);
  /** The next message, past what only moves the place. */
  async function nextMessage() {
    for (let event = await events.next(); event !== undefined; event = await events.next()) {
      if (event.data !== undefined) return { id: event.id, ...event.data, cursor: event.id };
    }
    return undefined;
  }
  return { ...events, nextMessage };
}

/** Streams over messages that are only in memory: one a transaction. */
function streams(options: Partial<EventStreamsOptions> = {}) {
  const state = { messages: [] as Place[], reads: 0, isAway: false, isExpired: false };
  const shutdown = new AbortController();
  function find(after: Place, limit: number): Place[] {
    if (state.isAway) throw new Error("the database is away");
    if (state.isExpired) throw new AppError("cursor_expired", "gone");
    return state.messages.filter((place) => isAfter(place, after)).slice(0, limit);
  }
  const open = createEventStreams({
    readNewest: async (after) => {
      await Promise.resolve();
      state.reads++;
      return find(after, Infinity).at(-1) ?? after;
    },
    log: recordingLogger().log,
    shutdown: shutdown.signal,
    pollMs: 5,
    ...options,
  });
  const read = async (after: Place | null): Promise<EventPage> => {
    await Promise.resolve();
    const places = find(after ?? START, 2);
    const events = places.map((place) => ({
      place,
      id: place.id,
      type: "run.ended" as const,
      timestamp: "2026-11-23T09:30:00.000Z",
      data: {},
    }));
    return { events, next: places.at(-1) ?? after ?? START };
  };
  return {
    state,
    shutdown,
    add: (count = 1) => {
      for (let added = 0; added < count; added++) {
        state.messages.push({ xid: String(state.messages.length + 1), id: newId() });
      }
    },
    open: async (after: Place | null = null) => messageReader(await open(read, after)),
  };
}

describe("event streams", () => {
  it("send what there is, and then what comes", async () => {
    const { state, add, open } = streams();
    add(5);
    const events = await open();
    const seen = [];
    for (let count = 0; count < 5; count++) {
      seen.push((await events.nextMessage())?.data && state.messages[count]?.id);
    }
    assertEquals(seen, state.messages.map(({ id }) => id));
    const next = events.nextMessage();
    add();
    assertNotEquals(await next, undefined);
    await events.leave();
  });

  it("ask the database as often for fifty readers as for one, and not without a reader", async () => {
    const { state, add, open } = streams({ pollMs: 20 });
    const readers = await Promise.all(Array.from({ length: 50 }, () => open()));
    state.reads = 0;
    const all = Promise.all(readers.map((reader) => reader.nextMessage()));
    add();
    await all;
    assertEquals(state.reads < 5, true);
    await Promise.all(readers.map((reader) => reader.leave()));
    await new Promise((resolve) => setTimeout(resolve, 30));
    state.reads = 0;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assertEquals(state.reads, 0);
  });

  it("send heartbeats with the place while nothing comes", async () => {
    const { add, open } = streams({ heartbeatMs: 20 });
    add();
    const events = await open();
    const message = await events.nextMessage();
    await events.next(); // the place after the page
    const heartbeat = await events.next();
    assertEquals([heartbeat?.comment, heartbeat?.id], ["heartbeat", message?.cursor]);
    await events.leave();
  });

  it("are refused above their limit, and possible again when somebody leaves or cannot begin", async () => {
    const { state, open } = streams({ maxStreams: 2 });
    state.isAway = true;
    await assertRejects(() => open(), Error, "the database is away");
    state.isAway = false;
    const readers = [await open(), await open()];
    const refused = await assertRejects(() => open(), Problem);
    assertEquals(refused.code, "too_many_streams");
    await readers[0]?.leave();
    readers.push(await open());
    await Promise.all(readers.map((reader) => reader.leave()));
  });

  it("stay open while the database is away, and go on when it is back", async () => {
    const { state, add, open } = streams();
    const events = await open();
    const next = events.nextMessage();
    state.isAway = true;
    add();
    const before = state.reads;
    while (state.reads < before + 3) await new Promise((resolve) => setTimeout(resolve, 5));
    state.isAway = false;
    assertNotEquals(await next, undefined);
    await events.leave();
  });

  it("end when the database is restored from before them", async () => {
    const { state, add, open } = streams();
    const events = await open();
    const next = events.nextMessage();
    state.isExpired = true;
    assertEquals(await next, undefined);
    state.isExpired = false;
    const again = await open();
    add();
    assertNotEquals(await again.nextMessage(), undefined);
    await again.leave();
  });

  it("end when messages that they have not sent are no longer kept", async () => {
    const { state, add, open } = streams();
    add(100);
    const events = await open();
    await events.nextMessage();
    state.isExpired = true;
    let sent = 1;
    while (await events.nextMessage() !== undefined) sent++;
    assert(sent < 20, `${sent} were sent`);
  });

  it("end when the service stops", async () => {
    const { open, shutdown } = streams();
    const readers = [await open(), await open()];
    const ends = readers.map((reader) => reader.nextMessage());
    shutdown.abort();
    assertEquals(await Promise.all(ends), [undefined, undefined]);
  });
});

describe("event streams over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
    await createEndpoint(service.sql, {
      id: newId(),
      types: ["assignments.created", "assignments.ended"],
    }, "ops");
  });
  afterAll(() => service.stop());

  function open(query = "", headers: Record<string, string> = {}): Promise<Response> {
    return service.call(`GET /v1/events${query}`, {
      as: "service",
      headers: { Accept: "text/event-stream", ...headers },
    });
  }

  it("go on after Last-Event-ID, with what came within a second", async () => {
    const [one] = await addMembers(service.sql, 1);
    const response = await open("?types=assignments.created");
    assertEquals([response.status, response.headers.get("Content-Type")], [200, "text/event-stream"]);
    const events = messageReader(response.body);
    const first = await events.nextMessage();
    assertEquals(first?.data.assignments[0].memberId, one);
    const [two] = await addMembers(service.sql, 1);
    const second = await events.nextMessage();
    assertEquals(second?.data.assignments[0].memberId, two);
    await events.leave();

    const resumed = messageReader((await open("?after=ignored", { "Last-Event-ID": first?.cursor })).body);
    assertEquals((await resumed.nextMessage())?.data, second?.data);
    await resumed.leave();
    const { events: [page] } = await (await service.call(`GET /v1/events?after=${first?.cursor}`)).json();
    assertEquals(page.data, second?.data);
  });

  it("move Last-Event-ID past what a reader does not want", async () => {
    await addMembers(service.sql, 1);
    const { next } = await (await service.call("GET /v1/events")).json();
    const events = messageReader((await open("?types=assignments.ended&limit=1")).body);
    await service.sql`update public.trainer_client_assignments set status = 'inactive'`;
    const ended = await events.nextMessage();
    assertEquals(ended?.type, "assignments.ended");
    assertNotEquals(ended?.cursor, next);
    await events.leave();
  });

  it("are refused as pages are, and not opened by HEAD", async () => {
    const bad = await open("", { "Last-Event-ID": "nonsense" });
    assertEquals([bad.status, (await bad.json()).code], [400, "invalid_cursor"]);
    const head = await service.call("HEAD /v1/events", { headers: { Accept: "text/event-stream" } });
    assertEquals(head.headers.get("Content-Type"), "text/event-stream");
    const neither = await service.call("GET /v1/events", { headers: { Accept: "text/csv" } });
    assertEquals(neither.status, 406);
  });

  it("wait for a webhook that wants messages", async () => {
    const other = await testService();
    const { id } = await createEndpoint(other.sql, { id: newId(), types: ["run.ended"] }, "ops");
    await deleteEndpoint(other.sql, id, "ops");
    const response = await other.call("GET /v1/events", { headers: { Accept: "text/event-stream" } });
    const events = messageReader(response.body);
    const next = events.nextMessage();
    await createEndpoint(other.sql, { id: newId(), types: ["assignments.created"] }, "ops");
    const [member] = await addMembers(other.sql, 1);
    assertEquals((await next)?.data.assignments[0].memberId, member);
    await events.leave();
    await other.stop();
  });
});
