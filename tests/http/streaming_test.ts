import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Hono } from "hono";
import type { AppEnv } from "../../src/http/env.ts";
import { exportFormat } from "../../src/http/formats.ts";
import { createSlots } from "../../src/http/slots.ts";
import { MAX_EXPORTS, type RowStream, streamRows } from "../../src/http/streaming.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, recordingLogger, requestInit, serveOnSocket, type TestService, testService } from "./test_service.ts";

const CLIENTS = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;
const FORMAT = exportFormat("application/x-ndjson", []) ?? (() => {
  throw new Error("NDJSON is a format");
})();

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
  app.get("/", async (c) => {
    c.set("requestId", "test");
    return await streamRows(c, { format: FORMAT, filename: "rows", takeSlot: createSlots(1), log, ...stream });
  });
  return { app, logged };
}

describe("a streamed export", () => {
  it("reads on only as its reader takes", async () => {
    const { state, rows } = endlessSource();
    const response = await streamingApp({ chunks: rows }).app.request("/");
    const reader = response.body?.getReader();
    for (let chunk = 1; chunk <= 5; chunk++) {
      await reader?.read();
      assertLess(state.chunks, chunk + 2);
    }
    await reader?.cancel();
    await state.stopped.promise;
  });

  it("reads little ahead of a reader behind a socket who takes nothing, and stops when they go", async () => {
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

  it("cuts off a reader who takes nothing for too long", async () => {
    const { state, rows } = endlessSource();
    const { app, logged } = streamingApp({ chunks: rows, stallTimeoutMs: 50 });
    const response = await app.request("/");
    await state.stopped.promise;
    await assertRejects(() => response.text(), Error, "the reader takes nothing");
    assertEquals(logged[0]?.msg, "export cut off");
  });

  it("does not look whole when its source fails midway", async () => {
    async function* failing() {
      for (let chunk = 0; chunk < 3; chunk++) yield await Promise.resolve([{ chunk }]);
      throw new Error("secret of the database");
    }
    const { app, logged } = streamingApp({ chunks: failing() });
    const server = await serveOnSocket(app);
    const response = await fetch(server.url);
    assertEquals(response.status, 200);
    await assertRejects(() => response.text());
    assertMatch(JSON.stringify(logged), /export cut off.*|secret of the database/);
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
    assertEquals([response.status, response.headers.get("Content-Type"), state.chunks], [200, "application/x-ndjson", 0]);
  });
});

describe("formats", () => {
  const csv = (rows: object[]) => {
    const format = exportFormat("text/csv", ["id", "notes"]);
    return (format?.head ?? "") + (format?.write(rows) ?? "");
  };

  it("write CSV by RFC 4180, empty lists included", () => {
    assertEquals(csv([]), "id,notes\r\n");
    assertEquals(
      csv([{ id: 1, notes: 'say "hi", twice' }, { id: 2, notes: "two\nlines" }, { id: 3, notes: null }, { id: 4, notes: "a\rb" }]),
      'id,notes\r\n1,"say ""hi"", twice"\r\n2,"two\nlines"\r\n3,\r\n4,"a\rb"\r\n',
    );
  });

  it("keep spreadsheets from running notes", () => {
    for (const formula of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/c calc'!A1"]) {
      const written = csv([{ id: 1, notes: formula }]).split("\r\n1,")[1] ?? "";
      assertMatch(written, /^"?'/, formula);
    }
  });

  it("write NDJSON that gives back the very text", () => {
    const notes = "=1+1 \u2028 \r\n \"quoted\" \u{1F9D1}";
    assertEquals(JSON.parse(FORMAT.write([{ notes }])), { notes });
    assertEquals(FORMAT.write([{ notes }, { notes }]).split("\n").length, 3);
  });
});

describe("exports over HTTP", () => {
  const COUNT = 200_000;
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  beforeAll(async () => {
    service = await testService();
    await service.sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${COUNT}::integer)`;
    server = await serveOnSocket(service.app);
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  const download = (accept: string, signal?: AbortSignal) =>
    fetch(server.url + CLIENTS, { ...requestInit("GET", { as: "service", headers: { Accept: accept } }), ...(signal ? { signal } : {}) });

  it("stream 200,000 clients, each once, with memory flat", async () => {
    const liveBytes: number[] = [];
    const clients = new Set<string>();
    let rest = "";
    let lines = 0;
    const response = await download("application/x-ndjson");
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        if (lines++ % 20_000 === 0) liveBytes.push(collectedHeapBytes());
        clients.add(line.slice(13, 49));
      }
    }
    console.log(liveBytes, clients.size, [...clients].slice(0,2))
    assertEquals([lines, clients.size, rest], [COUNT, COUNT, ""]);
  });
});
function collectedHeapBytes() { return Deno.memoryUsage().heapUsed }
