/**
 * Counts the tests of a JUnit report as `deno test` writes it. A `describe` is a test case there too, whose name begins
 * the names of those inside it: only the innermost count.
 */
export function countTests(junit: string): { passed: number; failed: number; skipped: number } {
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
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, body } of cases) {
    const ownFailure = /<(?:failure|error)/.test(body) && !/message="\d+ test steps? failed"/.test(body);
    if (groups.has(name) && !ownFailure) continue;
    if (ownFailure) count.failed++;
    else if (body.includes("<skipped")) count.skipped++;
    else count.passed++;
  }
  return count;
}
