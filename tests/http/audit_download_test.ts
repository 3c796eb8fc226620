import { assertEquals, assertLess } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { collectGarbage } from "../support/garbage.ts";
import { requestInit, serveOnSocket, type TestService, testService } from "./test_service.ts";

describe("a download of the audit log", () => {
  const COUNT = 100_000;
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  beforeAll(async () => {
    service = await testService();
    await service.sql`
      insert into assignment.audit_log (actor, database_role, action, after)
      select 'somebody', 'postgres', 'policy.changed', jsonb_build_object('note', repeat('x', 300))
      from generate_series(1, ${COUNT}::integer)
    `;
    server = await serveOnSocket(service.app);
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  for (const [type, head] of [["application/x-ndjson", 0], ["text/csv", 1]] as const) {
    it(`as ${type} is written in constant memory`, async () => {
      const liveBytes: number[] = [];
      let lines = 0;
      const response = await fetch(
        `${server.url}/v1/audit?actor=somebody`,
        requestInit("GET", { as: "viewer", headers: { Accept: type } }),
      );
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        for (let at = chunk.indexOf("\n"); at !== -1; at = chunk.indexOf("\n", at + 1)) {
          if (lines++ % 10_000 === 0) liveBytes.push(collectGarbage());
        }
      }
      assertEquals(lines, head + COUNT);
      const [first = 0, ...later] = liveBytes;
      assertEquals(later.length, head + 9);
      assertLess(Math.max(...later) - first, 8 * 1024 * 1024); // the whole log would be some 50 MB
    });
  }
});
