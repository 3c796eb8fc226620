import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createClient } from "trainer-assignment-client";

/** A client whose streams arrive as one chunk; `end` says whether they then end. */
function streaming(type: string, text: string, { end }: { end: boolean }) {
  return createClient({
    baseUrl: "https://trainers.example",
    token: "ta_test",
    fetch(_, init) {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(text));
          init?.signal?.addEventListener("abort", () => end || controller.error(init.signal?.reason));
          if (end) controller.close();
        },
      });
      return Promise.resolve(new Response(body, { headers: { "Content-Type": type } }));
    },
  });
}

const ROWS = ["application/x-ndjson", '{"id":"1"}\n{"id":"2"}\n'] as const;
const STATES = [
  "text/event-stream",
  'id: 1\ndata: {"id":"1"}\n\nid: 2\ndata: {"id":"2"}\n\nevent: finished\nid: finished\ndata: {"id":"2"}\n\n',
] as const;
const reason = new Error("no longer needed");

/** Reads until the abort, which comes after so many items; returns the ids that came. */
async function readUntilAborted(
  open: (signal: AbortSignal) => AsyncIterable<{ id: string }>,
  after: number,
): Promise<string[]> {
  const stop = new AbortController();
  const ids: string[] = [];
  const thrown = await assertRejects(async () => {
    for await (const { id } of open(stop.signal)) {
      ids.push(id);
      if (ids.length === after) stop.abort(reason);
    }
  });
  assertEquals(thrown, reason);
  return ids;
}

describe("a stream of the client, once its signal is given", () => {
  it("yields no further row, even if it has arrived", async () => {
    for (const end of [true, false]) {
      const client = streaming(...ROWS, { end });
      const open = (signal: AbortSignal) => client.readRows("listAuditLines", {}, { signal });
      assertEquals(await readUntilAborted(open, 1), ["1"]);
    }
  });

  it("does not end as if it were complete", async () => {
    const rows = streaming(...ROWS, { end: true });
    const openRows = (signal: AbortSignal) => rows.readRows("listAuditLines", {}, { signal });
    assertEquals(await readUntilAborted(openRows, 2), ["1", "2"]);
    const run = streaming(...STATES, { end: true });
    const openRun = (signal: AbortSignal) => run.followBackfill({ id: "1" }, { signal });
    assertEquals(await readUntilAborted(openRun, 2), ["1", "2"]);
  });

  it("yields no further state of a run and no further message", async () => {
    for (const end of [true, false]) {
      const client = streaming(...STATES, { end });
      assertEquals(
        await readUntilAborted((signal) => client.followBackfill({ id: "1" }, { signal }), 1),
        ["1"],
      );
      const messages = async function* (signal: AbortSignal) {
        for await (const { message } of client.followEvents({}, { signal })) yield message;
      };
      assertEquals(await readUntilAborted(messages, 1), ["1"]);
    }
  });
});
