import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { expectedPairs } from "../faults/expectations.ts";
import type { Action, Entry } from "../faults/journal.ts";

/** Entries one after the other, all acknowledged. */
function journalOf(...entries: [Action, string[]][]): Entry[] {
  return entries.map(([action, ids], at) => ({
    number: at + 1,
    action,
    ids,
    outcome: "acknowledged",
    code: undefined,
    ms: 1,
    began: 2 * at,
    ended: 2 * at + 1,
  }));
}

describe("what the journal says of a member and a trainer", () => {
  it("is what was done last", () => {
    const ended: [Action, string[]] = ["end", ["member", "trainer"]];
    const made: [Action, string[]] = ["assign", ["member", "trainer"]];
    const standing = (...entries: [Action, string[]][]) => expectedPairs(journalOf(...entries))[0]?.standing;
    assertEquals(standing(ended), "ended");
    assertEquals(standing(ended, made), "standing");
    assertEquals(standing(ended, made, ended), "ended");
  });

  it("is open once a row was deleted: one that had been ended before may be left", () => {
    const journal = journalOf(
      ["endDirectly", ["one", "member", "trainer"]],
      ["assign", ["member", "trainer"]],
      ["deleteDirectly", ["two", "member", "trainer"]],
    );
    assertEquals(expectedPairs(journal)[0]?.standing, "open");
  });
});
