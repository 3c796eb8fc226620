/** What a test run came to; `failures` are the full names of what failed. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
  failures: string[];
}

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
  const failures: string[] = [];
  let [passed, skipped] = [0, 0];
  for (const { name, body } of cases) {
    const ownFailure = /<(?:failure|error)/.test(body) && !/message="\d+ test steps? failed"/.test(body);
    if (groups.has(name) && !ownFailure) continue;
    if (ownFailure) failures.push(decodeEntities(name));
    else if (body.includes("<skipped")) skipped += 1;
    else passed += 1;
  }
  return { passed, failed: failures.length, skipped, failures };
}

function decodeEntities(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", amp: "&" };
  return text.replaceAll(/&(#?\w+);/g, (entity, name: string) => entities[name] ?? entity);
}
