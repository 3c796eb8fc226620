import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readTestReport } from "../support/test_report.ts";

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
      failures: ["group > fails", "group > inner > fails too"],
    });
  });

  it("counts a group whose own setup failed", () => {
    const report = `
      <testcase name="group"><failure message="Uncaught Error: setup">text</failure></testcase>
      <testcase name="group &gt; never ran"></testcase>`;
    assertEquals(readTestReport(report), { passed: 1, failed: 1, skipped: 0, failures: ["group"] });
  });

  it("counts nothing in an empty report", () => {
    assertEquals(readTestReport(""), { passed: 0, failed: 0, skipped: 0, failures: [] });
  });
});
