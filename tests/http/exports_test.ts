import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { MAX_EXPORTS } from "../../src/http/streaming.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { collectGarbage } from "../support/garbage.ts";
import { requestInit, serveOnSocket, type TestService, testService } from "./test_service.ts";

const CLIENTS = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;

describe("exports over HTTP", () => {
  const COUNT = 200_000;
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  beforeAll(async () => {
    service = await testService();
    await service
      .sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${COUNT}::integer)`;
    server = await serveOnSocket(service.app);
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  const download = (accept: string, signal?: AbortSignal) =>
    fetch(server.url + CLIENTS, {
      ...requestInit("GET", { as: "service", headers: { Accept: accept } }),
      ...(signal ? { signal } : {}),
    });

  it("stream 200,000 clients, each once and in order, in constant memory", async () => {
    const liveBytes: number[] = [];
    let lines = 0;
    let lastId = "";
    let outOfOrder = 0;
    let unfinished = "";
    const response = await download("application/x-ndjson");
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = (unfinished + chunk).split("\n");
      unfinished = parts.pop() ?? "";
      for (const line of parts) {
        const { assignmentId } = JSON.parse(line);
        if (assignmentId <= lastId) outOfOrder++;
        lastId = assignmentId;
        if (lines++ % 20_000 === 0) liveBytes.push(collectGarbage());
      }
    }
    assertEquals([lines, outOfOrder, unfinished], [COUNT, 0, ""]);
    const [first = 0, ...later] = liveBytes;
    assertEquals(later.length, 9);
    assertLess(Math.max(...later) - first, 8 * 1024 * 1024); // the whole list would be some 100 MB
  });

  it("stream the same as CSV", async () => {
    const response = await download("text/csv");
    assertEquals(response.headers.get("Content-Type"), "text/csv; charset=utf-8; header=present");
    assertEquals(
      response.headers.get("Content-Disposition"),
      `attachment; filename="clients-${DEFAULT_TRAINER_ID}.csv"`,
    );
    const lines = (await response.text()).split("\r\n");
    assertEquals(
      lines[0],
      "clientId,assignmentId,assignmentDate,status,source,assignedBy,policyVersion,rule,endedAt,endedBy,endedBecause,notes",
    );
    assertEquals(lines.length, 1 + COUNT + 1);
    assertMatch(
      lines[1] ?? "",
      /^[0-9a-f-]{36},[0-9a-f-]{36},\d{4}-\d\d-\d\dT[\d:.]+Z,active,trigger,trigger,1,,,,,$/,
    );
  });

  it("do not look complete when the database fails midway", async () => {
    const response = await download("application/x-ndjson");
    const reader = response.body?.getReader();
    await reader?.read();
    await service.sql`alter table public.trainer_client_assignments rename to gone`;
    await assertRejects(async () => {
      while (!(await reader?.read())?.done);
    });
    await service.sql`alter table public.gone rename to trainer_client_assignments`;
  });

  it("are refused above a limit, and possible again when readers leave", async () => {
    const leaving = new AbortController();
    const open = await Promise.all(
      Array.from({ length: MAX_EXPORTS }, () => download("application/x-ndjson", leaving.signal)),
    );
    assertEquals(open.map(({ status }) => status), Array(MAX_EXPORTS).fill(200));

    const refused = await download("application/x-ndjson");
    assertEquals([refused.status, refused.headers.get("Retry-After")], [503, "5"]);
    assertEquals((await refused.json()).code, "too_many_streams");

    leaving.abort();
    let again = await download("text/csv");
    while (again.status === 503) {
      await again.body?.cancel();
      again = await download("text/csv");
    }
    assertEquals(again.status, 200);
    await again.body?.cancel();
  });

  it("are chosen by Accept, with its weights", async () => {
    const cases: Record<string, string> = {
      "*/*": "application/json",
      "application/*": "application/json",
      "text/csv": "text/csv",
      "TEXT/CSV": "text/csv",
      "application/json;q=0.5, text/csv": "text/csv",
      "text/csv;q=0.5, application/x-ndjson;q=0.6, */*;q=0.1": "application/x-ndjson",
      "application/*, application/json;q=0": "application/x-ndjson",
      "text/html, */*;q=0.1": "application/json",
      "text/*": "text/csv",
    };
    for (const [accept, type] of Object.entries(cases)) {
      const response = await service.call(`HEAD ${CLIENTS}`, { headers: { Accept: accept } });
      assertEquals(
        `${accept} → ${response.headers.get("Content-Type")?.split(";")[0]}`,
        `${accept} → ${type}`,
      );
      assertEquals(response.headers.get("Vary"), "Accept");
    }
  });

  it("refuse limit and cursor, which have no effect", async () => {
    const response = await service.call(`GET ${CLIENTS}?limit=5&cursor=x`, {
      headers: { Accept: "text/csv" },
    });
    assertEquals(response.status, 400);
    const { errors } = await response.json();
    assertEquals(errors.map(({ pointer }: { pointer: string }) => pointer), [
      "/query/limit",
      "/query/cursor",
    ]);
  });
});
