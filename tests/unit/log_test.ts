import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { createLog, type Logger, type LogLevel } from "../../src/telemetry/log.ts";

describe("log", () => {
  it("writes one JSON line an event, with its time, level, text and values", () => {
    const lines = linesOf(false, (log) => log.info({ runId: "r1", count: 3 }, "backfill started"));
    assertEquals(lines.length, 1);
    const { time, ...rest } = JSON.parse(lines[0] ?? "");
    assertEquals(rest, { level: "info", runId: "r1", count: 3, msg: "backfill started" });
    assert(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  });

  it("writes a readable line on a terminal", () => {
    const lines = linesOf(true, (log) => log.warn({ runId: "r1" }, "backfill started"));
    assertMatch(lines.join(""), /^\d\d:\d\d:\d\d\.\d{3} warn {2}backfill started runId="r1"\n$/);
  });

  it("writes nothing below its level", () => {
    assertEquals(linesOf(false, (log) => log.info("unheard"), "warn"), []);
  });

  it("writes an error with its message and stack", () => {
    const [json] = linesOf(false, (log) => log.error({ err: new TypeError("no such thing") }, "failed"));
    const { err } = JSON.parse(json ?? "");
    assertEquals([err.type, err.message], ["TypeError", "no such thing"]);
    const [text] = linesOf(true, (log) => log.error({ err: new TypeError("no such thing") }, "failed"));
    assertMatch(text ?? "", / error failed err="no such thing"\n {4}at /);
  });

  it("keeps a terminal and a line-based reader safe from any value", () => {
    // what ends a line or begins an escape: C0, DEL, C1, the separators, the marks that turn the direction of text
    // deno-lint-ignore no-control-regex
    const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
    fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => {
      for (const readable of [false, true]) {
        const lines = linesOf(readable, (log) => log.info({ value, [`name${value}`]: 1 }, `text ${value}`));
        assertEquals(lines.length, 1);
        assertEquals(lines[0]?.indexOf("\n"), (lines[0]?.length ?? 0) - 1);
        assert(!unsafe.test(lines[0] ?? ""));
      }
    }));
  });
});

function linesOf(readable: boolean, work: (log: Logger) => void, level: LogLevel = "info"): string[] {
  const lines: string[] = [];
  work(createLog({ level, readable, write: (line) => lines.push(line) }));
  return lines;
}
