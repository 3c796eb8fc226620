import { stripVTControlCharacters } from "node:util";

/** What a test run came to. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
  failures: TestFailure[];
}

export interface TestFailure {
  /** The full name, with the groups around it. */
  name: string;
  /** The error, its stack included. */
  error: string;
}

const SUMMARY_LINES = 12;
const SUMMARY_LINE_CHARACTERS = 300;

/**
 * Counts the tests of a JUnit report as `deno test` writes it. A `describe` is a test case there too, whose name begins
 * the names of those inside it: only the innermost count.
 */
export function readTestReport(junit: string): TestCounts {
  const cases = Array.from(
    junit.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs),
    ([, name, body]) => ({
      name: name ?? "",
      body: body ?? "",
    }),
  );
  const groups = new Set(cases.flatMap(({ name }) => {
    const parts = name.split(" &gt; ");
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" &gt; "));
  }));
  const failures: TestFailure[] = [];
  let [passed, skipped] = [0, 0];
  for (const { name, body } of cases) {
    const ownFailure = /<(?:failure|error)/.test(body) && !/message="\d+ test steps? failed"/.test(body);
    if (groups.has(name) && !ownFailure) continue;
    if (ownFailure) failures.push({ name: decodeEntities(name), error: decodeEntities(errorText(body)) });
    else if (body.includes("<skipped")) skipped += 1;
    else passed += 1;
  }
  return { passed, failed: failures.length, skipped, failures };
}

/** Returns the first lines of an error, each cut to a length, without colours and empty lines. */
export function summarizeError(error: string): string[] {
  const lines = stripVTControlCharacters(error).split("\n").map((line) =>
    line.slice(0, SUMMARY_LINE_CHARACTERS).trimEnd()
  );
  return lines.filter((line) => line !== "").slice(0, SUMMARY_LINES);
}

/** Returns why a file did not load: what `deno test` printed from its first error on, or all of it. */
export function findLoadError(output: string): string {
  const plain = stripVTControlCharacters(output);
  return plain.slice(Math.max(plain.search(/^error(:| )|^TS\d+ \[ERROR\]/m), 0));
}

function errorText(body: string): string {
  return /<(?:failure|error)[^>]*>(.*?)<\/(?:failure|error)>/s.exec(body)?.[1] ?? "";
}

function decodeEntities(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", amp: "&" };
  return text.replaceAll(/&(#?\w+);/g, (entity, name: string) => entities[name] ?? entity);
}
