import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Run } from "../../src/runs/progress.ts";
import { Problem } from "../../src/http/problems.ts";
import { createRunEvents, type RunEventsOptions } from "../../src/http/run_events.ts";
import { recordingLogger } from "../support/logs.ts";
import { eventReader } from "./event_reader.ts";

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

const ended = { ...RUN, status: "succeeded" as const, finishedAt: new Date(1), processed: 100 };

describe("run events", () => {
  it("begin with the state of the run, follow each change, and end with finished", async () => {
    const { state, open } = feeds();
    const events = open();
    assertEquals((await events.next())?.data.processed, 0);
    state.run = { ...RUN, processed: 40 };
    assertEquals((await events.next())?.data.processed, 40);
    state.run = ended;
    const last = await events.next();
    assertEquals([last?.event, last?.data.status], ["progress", "succeeded"]);
    const finished = await events.next();
    assertEquals([finished?.event, finished?.id, finished?.data.status], [
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
    assertEquals((await resumed.next())?.data.processed, 70);
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
    assertEquals(seen.map((event) => event?.data.processed), Array(50).fill(1));
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
    const received = [(await slow.next())?.data.processed, (await slow.next())?.data.processed];
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
    assertEquals((await next)?.data.processed, 55);
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
