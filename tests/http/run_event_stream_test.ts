import { assertEquals, assertGreater } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { getRun, startBackfill } from "../../src/runs/runs.ts";
import { driveToEnd } from "../support/backfills.ts";
import { addUnseenMembers } from "../support/members.ts";
import { eventReader } from "./event_reader.ts";
import { requestInit, serveOnSocket, type TestService, testService } from "./test_service.ts";

describe("run events over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  it("follow a run to its end, and then tell a client not to reconnect", async () => {
    await addUnseenMembers(service.sql, 500);
    const run = await startBackfill(service.sql, { requestedBy: "test", batchRows: 50 });
    const response = await service.call(`GET /v1/backfills/${run.id}/events`);
    assertEquals([response.status, response.headers.get("Content-Type")], [200, "text/event-stream"]);
    const events = eventReader(response.body);
    assertEquals((await events.next())?.data.processed, 0);

    await driveToEnd(service.sql, run);

    let event = await events.next();
    while (event?.event === "progress") event = await events.next();
    assertEquals([event?.event, event?.data.processed, event?.data.successful], ["finished", 501, 500]);
    assertEquals(event?.data, JSON.parse(JSON.stringify(await getRun(service.sql, run.id))));
    assertEquals(await events.next(), undefined);

    const comeBack = await service.call(`GET /v1/backfills/${run.id}/events`, {
      headers: { "Last-Event-ID": "finished" },
    });
    assertEquals([comeBack.status, await comeBack.text()], [204, ""]);
  });

  it("are not opened by a HEAD request, nor for a client that does not accept them", async () => {
    const run = await startBackfill(service.sql, { requestedBy: "test" });
    const path = `/v1/backfills/${run.id}/events`;
    assertEquals((await service.call(`HEAD ${path}`)).headers.get("Content-Type"), "text/event-stream");
    assertEquals(
      (await service.call(`GET ${path}`, { headers: { Accept: "application/json" } })).status,
      406,
    );
  });

  it("leave the poller when their connection breaks, and let the server stop", async () => {
    const shutdown = new AbortController();
    let reads = 0;
    const counting = new Proxy(service.sql, {
      apply(sql, self, args) {
        reads++;
        return Reflect.apply(sql, self, args);
      },
    });
    const stopping = await testService({ sql: counting, shutdown: shutdown.signal });
    const { runs } = await (await stopping.call("GET /v1/backfills")).json();
    const path = `/v1/backfills/${runs[0].id}/events`;
    const server = await serveOnSocket(stopping.app);
    const breaking = new AbortController();
    const broken = await fetch(server.url + path, { ...requestInit("GET"), signal: breaking.signal });
    const reader = broken.body?.getReader();
    await reader?.read();
    breaking.abort();
    await reader?.read().catch(() => {});
    let before = -1;
    for (let seconds = 0; seconds < 5 && before !== reads; seconds++) {
      before = reads;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
    }
    assertEquals(reads, before);

    const kept = await fetch(server.url + path, requestInit("GET"));
    shutdown.abort();
    await kept.text();
    assertGreater(reads, 0);
    await server.stop();
    await stopping.stop();
  });
});
