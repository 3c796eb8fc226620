/** How the client reads server-sent events, held against eventsource-parser. */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { readEvents, type ServerEvent } from "../../packages/client/src/events.ts";

const LINES = [
  ...["data", "data:", "data: {}", "data:  two spaces", "data:a:b", ": a comment", "", ""],
  ...["id: 7", "id:", "event: finished", "event:", "retry: 100", "unknown: 1", " data: none"],
];

async function* cut(text: string, lengths: readonly number[]): AsyncGenerator<string> {
  let rest = text;
  for (const length of lengths) {
    yield rest.slice(0, length);
    rest = rest.slice(length);
  }
  yield rest;
}

function parseEvents(text: string): ServerEvent[] {
  const events: ServerEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, id, data }) => events.push({ event, id, data }),
  });
  parser.feed(text);
  return events;
}

describe("the client's reader of server-sent events", () => {
  it("reads what eventsource-parser reads, wherever the stream is cut", async () => {
    const streams = fc.array(fc.tuple(fc.constantFrom(...LINES), fc.constantFrom("\n", "\r\n")))
      .map((lines) => lines.flat().join(""));
    await fc.assert(
      fc.asyncProperty(streams, fc.array(fc.nat(12)), async (text, lengths) => {
        const events = await Array.fromAsync(readEvents(cut(text, lengths)));
        assertEquals(events.filter(({ data }) => data !== undefined), parseEvents(text));
      }),
      { numRuns: 1000 },
    );
  });

  it("leaves out an event that breaks off, and takes a lone CR as the end of a line", async () => {
    const text = "id: 1\rdata: a\r\rdata: b\r\n\r\ndata: c\n";
    assertEquals(await Array.fromAsync(readEvents(cut(text, [3, 4, 8, 3]))), [
      { event: undefined, id: "1", data: "a" },
      { event: undefined, id: undefined, data: "b" },
    ]);
  });

  it("tells of an id without data, which only moves the place", async () => {
    assertEquals(await Array.fromAsync(readEvents(cut(": heartbeat\nid: 2\n\nevent: none\n\n", []))), [
      { event: undefined, id: "2", data: undefined },
    ]);
  });
});
