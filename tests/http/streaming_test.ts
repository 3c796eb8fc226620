import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Hono } from "hono";
import type { AppEnv } from "../../src/http/env.ts";
import { NDJSON } from "../../src/http/formats.ts";
import { createSlots } from "../../src/http/slots.ts";
import { type RowStream, streamRows } from "../../src/http/streaming.ts";
import { recordingLogger, serveOnSocket } from "./test_service.ts";

/** Rows without end, a thousand a chunk; tells how many chunks were taken and whether it was stopped. */
function endlessSource() {
  const state = { chunks: 0, stopped: Promise.withResolvers<void>() };
  async function* rows() {
    try {
      while (true) {
        await Promise.resolve();
        state.chunks++;
        yield Array.from({ length: 1_000 }, (_, row) => ({ row, text: "x".repeat(100) }));
      }
    } finally {
      state.stopped.resolve();
    }
  }
  return { state, rows: rows() };
}

/** An application that only streams. */
function streamingApp(stream: Partial<RowStream> & Pick<RowStream, "chunks">) {
  const { log, logged } = recordingLogger();
  const app = new Hono<AppEnv>();
  app.onError((_error, c) => c.text("", 500));
  app.get("/", async (c) => {
    c.set("requestId", "test");
    return await streamRows(c, {
      format: NDJSON,
      filename: "rows",
      takeSlot: createSlots(1),
      log,
      ...stream,
    });
  });
  return { app, logged };
}

describe("a streamed export", () => {
  it("reads only as fast as its reader", async () => {
    const { state, rows } = endlessSource();
    const response = await streamingApp({ chunks: rows }).app.request("/");
    const reader = response.body?.getReader();
    for (let chunk = 1; chunk <= 5; chunk++) {
      await reader?.read();
      await new Promise((resolve) => setTimeout(resolve)); // time to read ahead, if it would
      assertLess(state.chunks, chunk + 2);
    }
    await reader?.cancel();
    await state.stopped.promise;
  });

  it("continues after empty chunks, and ends after one", async () => {
    async function* rows() {
      await Promise.resolve();
      yield* [[], [{ row: 1 }], [], [], [{ row: 2 }], []];
    }
    const response = await streamingApp({ chunks: rows(), stallTimeoutMs: 500 }).app.request("/");
    assertEquals(await response.text(), '{"row":1}\n{"row":2}\n');
  });

  it("reads little ahead of a socket whose reader has stopped, and stops when it closes", async () => {
    const { state, rows } = endlessSource();
    const server = await serveOnSocket(streamingApp({ chunks: rows }).app);
    const leaving = new AbortController();
    const response = await fetch(server.url, { signal: leaving.signal });
    const settle = async () => {
      let before = -1;
      while (before !== state.chunks) {
        before = state.chunks;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return before;
    };
    assertLess(await settle(), 200); // what the system's socket buffers hold

    leaving.abort();
    await response.text().catch(() => {});
    await state.stopped.promise;
    await server.stop();
  });

  it("disconnects a reader that reads nothing for too long", async () => {
    const { state, rows } = endlessSource();
    const { app, logged } = streamingApp({ chunks: rows, stallTimeoutMs: 50 });
    const response = await app.request("/");
    await state.stopped.promise;
    await assertRejects(() => response.text(), Error, "the export was cut off");
    assertMatch(JSON.stringify(logged), /download_cut_off.*the reader takes nothing/);
  });

  it("does not look complete when its source fails midway", async () => {
    async function* failing() {
      for (let chunk = 0; chunk < 3; chunk++) yield await Promise.resolve([{ chunk }]);
      throw new Error("secret of the database");
    }
    const { app, logged } = streamingApp({ chunks: failing() });
    const server = await serveOnSocket(app);
    const response = await fetch(server.url);
    assertEquals(response.status, 200);
    await assertRejects(() => response.text());
    assertMatch(JSON.stringify(logged), /download_cut_off.*secret of the database/);
    await server.stop();
  });

  it("gives its place back however it ends", async () => {
    const takeSlot = createSlots(1);
    async function* rows(count: number) {
      for (let row = 0; row < count; row++) yield await Promise.resolve([{ row }]);
      if (count > 5) throw new Error("too many");
    }
    for (const count of [0, 1, 5, 6]) {
      const { app } = streamingApp({ chunks: rows(count), takeSlot });
      await (await app.request("/")).text().catch(() => {});
    }
    async function* failsAtOnce() {
      await Promise.reject(new Error("at once"));
      yield [];
    }
    assertEquals((await streamingApp({ chunks: failsAtOnce(), takeSlot }).app.request("/")).status, 500);
    takeSlot();
  });

  it("opens nothing for a HEAD request", async () => {
    const { state, rows } = endlessSource();
    const response = await streamingApp({ chunks: rows }).app.request("/", { method: "HEAD" });
    assertEquals([response.status, response.headers.get("Content-Type"), state.chunks], [
      200,
      "application/x-ndjson",
      0,
    ]);
  });
});
