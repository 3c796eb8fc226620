import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findLoadError, readTestReport, summarizeError } from "../support/test_report.ts";

describe("test report", () => {
  it("counts the innermost tests, not the groups around them", () => {
    const report = `
      <testcase name="group"><failure message="2 test steps failed">2 test steps failed.</failure></testcase>
      <testcase name="alone" time="0.1"></testcase>
      <testcase name="group &gt; passes"></testcase>
      <testcase name="group &gt; fails"><failure message="Uncaught AssertionError">text</failure></testcase>
      <testcase name="group &gt; inner"><failure message="1 test step failed">1 test step failed.</failure></testcase>
      <testcase name="group &gt; inner &gt; fails too"><failure message="x">text</failure></testcase>
      <testcase name="group &gt; later"><skipped/></testcase>`;
    assertEquals(readTestReport(report), {
      passed: 2,
      failed: 2,
      skipped: 1,
      failures: [
        { name: "group > fails", error: "text" },
        { name: "group > inner > fails too", error: "text" },
      ],
    });
  });

  it("counts a group whose own setup failed", () => {
    const report = `
      <testcase name="group"><failure message="Uncaught Error: setup">text</failure></testcase>
      <testcase name="group &gt; never ran"></testcase>`;
    assertEquals(readTestReport(report), {
      passed: 1,
      failed: 1,
      skipped: 0,
      failures: [{ name: "group", error: "text" }],
    });
  });

  it("tells the error of a failed test as it was thrown", () => {
    const report = `
      <testcase name="fails"><failure message="Uncaught Error: one &gt; two
three">Error: one &gt; two
three &amp;amp;
    at file:///a_test.ts:1:2</failure></testcase>`;
    assertEquals(readTestReport(report).failures, [
      { name: "fails", error: "Error: one > two\nthree &amp;\n    at file:///a_test.ts:1:2" },
    ]);
  });

  it("counts nothing in an empty report", () => {
    assertEquals(readTestReport(""), { passed: 0, failed: 0, skipped: 0, failures: [] });
  });

  it("summarizes an error by its first twelve lines, without colours", () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    assertEquals(summarizeError(`\x1b[31m${lines.join("\x1b[0m\n\n")}`), lines.slice(0, 12));
    assertEquals(summarizeError(""), []);
    assertEquals(summarizeError("a".repeat(1000)).map((line) => line.length), [300]);
  });

  it("finds in the output why a file did not load", () => {
    assertEquals(
      findLoadError("Check a_test.ts\n\x1b[31merror\x1b[0m: Module not found"),
      "error: Module not found",
    );
    assertEquals(findLoadError("killed"), "killed");
  });
});
