import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Run } from "../../src/runs/progress.ts";
import { getRun, startBackfill } from "../../src/runs/runs.ts";
import { Problem } from "../../src/http/problems.ts";
import { createRunEvents, type RunEventsOptions } from "../../src/http/run_events.ts";
import { driveToEnd } from "../support/backfills.ts";
import { addUnseenMembers } from "../support/members.ts";
import {
  recordingLogger,
  requestInit,
  serveOnSocket,
  type TestService,
  testService,
} from "./test_service.ts";

const RUN: Run = {
  id: "0195d3a2-0f4b-7e61-a5c3-1a2b3c4d5e6f",
  trainerId: "d18a21c8-be77-496f-a2fd-ec6479ecba6d",
  policyVersion: 1,
  status: "running",
  dryRun: false,
  batchRows: null,
  retryOf: null,
  kind: "backfill",
  fromTrainerId: null,
  reassign: false,
  onlySelected: false,
  condition: null,
  notes: null,
  requestedBy: "ops",
  requestedAt: new Date(0),
  startedAt: new Date(0),
  finishedAt: null,
  total: 100,
  totalIsEstimate: false,
  processed: 0,
  successful: 0,
  skipped: 0,
  failed: 0,
  skippedBecause: { alreadyAssigned: 0, ended: 0, isTrainer: 0, memberGone: 0, excluded: 0, notSelected: 0 },
  choices: [],
  remaining: null,
  ratePerSecond: null,
  etaSeconds: null,
  pauseReason: null,
  throttledBecause: null,
  probes: { replicaLag: null, lockWaiters: null },
  errors: [],
  history: [],
};

/** Feeds over a run that is only in memory. */
function feeds(options: Partial<RunEventsOptions> = {}) {
  const state = { run: RUN, reads: 0, isAway: false };
  const shutdown = new AbortController();
  const open = createRunEvents({
    readRun: async () => {
      state.reads++;
      await Promise.resolve();
      if (state.isAway) throw new Error("the database is away");
      return state.run;
    },
    log: recordingLogger().log,
    shutdown: shutdown.signal,
    pollMs: 5,
    ...options,
  });
  return { state, shutdown, open: (lastEventId?: string) => eventReader(open(state.run, lastEventId)) };
}

/** Reads a stream event by event. */
function eventReader(stream: ReadableStream<Uint8Array>) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = "";
  return {
    /** The next event or comment; undefined at the end. */
    async next() {
      while (!buffered.includes("\n\n")) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        buffered += value;
      }
      const end = buffered.indexOf("\n\n");
      const lines = buffered.slice(0, end).split("\n");
      buffered = buffered.slice(end + 2);
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data");
      return {
        comment: field(""),
        event: field("event"),
        id: field("id"),
        run: data === undefined ? undefined : JSON.parse(data),
      };
    },
    leave: () => reader.cancel(),
  };
}

const ended = { ...RUN, status: "succeeded" as const, finishedAt: new Date(1), processed: 100 };

describe("run events", () => {
  it("begin with the state of the run, follow each change, and end with finished", async () => {
    const { state, open } = feeds();
    const events = open();
    assertEquals((await events.next())?.run.processed, 0);
    state.run = { ...RUN, processed: 40 };
    assertEquals((await events.next())?.run.processed, 40);
    state.run = ended;
    const last = await events.next();
    assertEquals([last?.event, last?.run.status], ["progress", "succeeded"]);
    const finished = await events.next();
    assertEquals([finished?.event, finished?.id, finished?.run.status], [
      "finished",
      "finished",
      "succeeded",
    ]);
    assertEquals(await events.next(), undefined);
  });

  it("do not repeat the state that the client names as its last", async () => {
    const { state, open } = feeds();
    const first = open();
    const seen = await first.next();
    await first.leave();

    const resumed = open(seen?.id);
    state.run = { ...RUN, processed: 70 };
    assertEquals((await resumed.next())?.run.processed, 70);
    await resumed.leave();

    state.run = ended;
    const late = open("an id of long ago");
    assertEquals((await late.next())?.event, "progress");
    await late.leave();
  });

  it("send only finished to a client who has seen the last state", async () => {
    const { state, open } = feeds();
    state.run = ended;
    const first = open();
    const seen = await first.next();
    await first.leave();
    const resumed = open(seen?.id);
    assertEquals((await resumed.next())?.event, "finished");
    assertEquals(await resumed.next(), undefined);
  });

  it("give the same state the same id on every replica", async () => {
    const one = feeds().open();
    const other = feeds().open();
    assertEquals((await one.next())?.id, (await other.next())?.id);
    await Promise.all([one.leave(), other.leave()]);
  });

  it("ask the database as often for fifty watchers as for one, and not without a watcher", async () => {
    const { state, open } = feeds({ pollMs: 20 });
    const watchers = Array.from({ length: 50 }, () => open());
    await Promise.all(watchers.map((watcher) => watcher.next()));
    state.reads = 0;
    state.run = { ...RUN, processed: 1 };
    const seen = await Promise.all(watchers.map((watcher) => watcher.next()));
    assertEquals(seen.map((event) => event?.run.processed), Array(50).fill(1));
    assertLess(state.reads, 5);

    await Promise.all(watchers.map((watcher) => watcher.leave()));
    await new Promise((resolve) => setTimeout(resolve, 30));
    state.reads = 0;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assertEquals(state.reads, 0);
  });

  it("skip states for a reader who is slow", async () => {
    const { state, open } = feeds();
    const fast = open();
    const slow = open();
    await fast.next();
    for (let processed = 1; processed <= 30; processed++) {
      state.run = { ...RUN, processed };
      await fast.next();
    }
    const received = [(await slow.next())?.run.processed, (await slow.next())?.run.processed];
    assertEquals(received.at(-1), 30);
    await Promise.all([fast.leave(), slow.leave()]);
  });

  it("send a heartbeat while nothing changes", async () => {
    const { open } = feeds({ heartbeatMs: 10 });
    const events = open();
    await events.next();
    assertEquals((await events.next())?.comment, "heartbeat");
    assertEquals((await events.next())?.comment, "heartbeat");
    await events.leave();
  });

  it("are refused above their limit, and possible again when somebody leaves", async () => {
    const { open } = feeds({ maxStreams: 3 });
    const watchers = [open(), open(), open()];
    assertEquals(assertThrows(() => open(), Problem).code, "too_many_streams");
    await watchers[0]?.leave();
    watchers.push(open());
    await Promise.all(watchers.map((watcher) => watcher.leave()));
  });

  it("stay open while the database is away, and go on when it is back", async () => {
    const { state, open } = feeds();
    const events = open();
    await events.next();
    state.isAway = true;
    state.run = { ...RUN, processed: 55 };
    const next = events.next();
    while (state.reads < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    state.isAway = false;
    assertEquals((await next)?.run.processed, 55);
    await events.leave();
  });

  it("end when the service stops", async () => {
    const { open, shutdown } = feeds();
    const watchers = [open(), open()];
    await Promise.all(watchers.map((watcher) => watcher.next()));
    const last = Promise.all(watchers.map((watcher) => watcher.next()));
    shutdown.abort();
    assertEquals(await last, [undefined, undefined]);
  });
});

describe("run events over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  it("follow a run to its end, and then tell a client not to reconnect", async () => {
    await addUnseenMembers(service.sql, 500);
    const run = await startBackfill(service.sql, { requestedBy: "test", batchRows: 50 });
    const response = await service.call(`GET /v1/backfills/${run.id}/events`);
    assertEquals([response.status, response.headers.get("Content-Type")], [200, "text/event-stream"]);
    const events = eventReader(response.body ?? new ReadableStream());
    assertEquals((await events.next())?.run.processed, 0);

    await driveToEnd(service.sql, run);

    let event = await events.next();
    while (event?.event === "progress") event = await events.next();
    assertEquals([event?.event, event?.run.processed, event?.run.successful], ["finished", 501, 500]);
    assertEquals(event?.run, JSON.parse(JSON.stringify(await getRun(service.sql, run.id))));
    assertEquals(await events.next(), undefined);

    const comeBack = await service.call(`GET /v1/backfills/${run.id}/events`, {
      headers: { "Last-Event-ID": "finished" },
    });
    assertEquals([comeBack.status, await comeBack.text()], [204, ""]);
  });

  it("are not opened by a HEAD request, nor for a client that does not accept them", async () => {
    const run = await startBackfill(service.sql, { requestedBy: "test" });
    const path = `/v1/backfills/${run.id}/events`;
    assertEquals((await service.call(`HEAD ${path}`)).headers.get("Content-Type"), "text/event-stream");
    assertEquals(
      (await service.call(`GET ${path}`, { headers: { Accept: "application/json" } })).status,
      406,
    );
  });

  it("leave the poller when their connection breaks, and let the server stop", async () => {
    const shutdown = new AbortController();
    let reads = 0;
    const counting = new Proxy(service.sql, {
      apply(sql, self, args) {
        reads++;
        return Reflect.apply(sql, self, args);
      },
    });
    const stopping = await testService({ sql: counting, shutdown: shutdown.signal });
    const { runs } = await (await stopping.call("GET /v1/backfills")).json();
    const path = `/v1/backfills/${runs[0].id}/events`;
    const server = await serveOnSocket(stopping.app);
    const breaking = new AbortController();
    const broken = await fetch(server.url + path, { ...requestInit("GET"), signal: breaking.signal });
    const reader = broken.body?.getReader();
    await reader?.read();
    breaking.abort();
    await reader?.read().catch(() => {});
    let before = -1;
    for (let seconds = 0; seconds < 5 && before !== reads; seconds++) {
      before = reads;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
    }
    assertEquals(reads, before);

    const kept = await fetch(server.url + path, requestInit("GET"));
    shutdown.abort();
    await kept.text();
    assertGreater(reads, 0);
    await server.stop();
    await stopping.stop();
  });
});
