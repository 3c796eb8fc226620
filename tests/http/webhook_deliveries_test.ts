import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { addressMessages } from "../../src/webhooks/queue.ts";
import { addMembers, type TestService } from "./test_service.ts";
import { createWebhook, refusalOf, SOME_ID, webhookService } from "./webhooks.ts";

describe("webhooks over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await webhookService();
  });
  afterAll(() => service.stop());

  it("show what was sent and answered, and send again", async () => {
    const { id } = await createWebhook(service);
    const [memberId] = await addMembers(service.sql, 1);
    const { messageId: testId } = await (await service.call(`POST /v1/webhooks/${id}/test`)).json();
    await addressMessages(service.sql);
    const list = async (query = "") =>
      (await (await service.call(`GET /v1/webhooks/${id}/deliveries${query}`, { as: "viewer" })).json())
        .deliveries;
    const [test, created] = await list();
    assertEquals([test.messageId, created.type, created.status, created.attempts], [
      testId,
      "assignments.created",
      "pending",
      0,
    ]);
    const path = `/v1/webhooks/${id}/deliveries/${created.messageId}`;
    const { body } = await (await service.call(`GET ${path}`, { as: "viewer" })).json();
    assertEquals(body.data.assignments[0].memberId, memberId);
    assertEquals(
      (await (await service.call(`GET /v1/webhooks/${id}/deliveries/${testId}`)).json()).body.data,
      {
        test: true,
      },
    );

    await service.sql`select assignment.record_deliveries(${id}, ${
      service.sql.json([
        { message_id: created.messageId, outcome: "failed", status: 500, answer: "oh", took_ms: 7 },
        { message_id: testId, outcome: "delivered", status: 204, took_ms: 5 },
      ])
    })`;
    const [failed] = await list("?status=failed");
    assertEquals([failed.messageId, failed.lastStatus, failed.lastAnswer, failed.nextAttemptAt], [
      created.messageId,
      500,
      "oh",
      null,
    ]);
    const state = await (await service.call(`GET /v1/webhooks/${id}`)).json();
    assertEquals([state.failed, state.pending, state.failingSince], [1, 0, null]);

    const again = async (request: string, json?: unknown) => {
      const response = await service.call(request, json === undefined ? {} : { json });
      return [response.status, (await response.json()).messages];
    };
    const soon = new Date(Date.now() + 60_000).toISOString();
    assertEquals(await again(`POST /v1/webhooks/${id}/redeliver`, { failedSince: soon }), [202, 0]);
    for (const failedSince of ["2026-02-31T00:00:00Z", "2026-11-28", "", "0000-01-01T00:00:00Z"]) {
      assertEquals(
        await refusalOf(service, `POST /v1/webhooks/${id}/redeliver`, { failedSince }),
        [400, "/body/failedSince"],
      );
    }
    assertEquals(await again(`POST /v1/webhooks/${id}/redeliver`, { failedSince: failed.endedAt }), [202, 1]);
    assertEquals(await again(`POST /v1/webhooks/${id}/deliveries/${testId}/redeliver`), [202, 1]);
    assertEquals((await list("?status=pending")).length, 2);
    assertEquals(
      await refusalOf(service, `POST /v1/webhooks/${id}/deliveries/${SOME_ID}/redeliver`, undefined),
      [
        404,
        "delivery_not_found",
      ],
    );
  });

  it("page through deliveries", async () => {
    const { id } = await createWebhook(service);
    for (let tests = 0; tests < 5; tests++) await service.call(`POST /v1/webhooks/${id}/test`);
    await addressMessages(service.sql);
    const seen: string[] = [];
    let path: string | undefined = `/v1/webhooks/${id}/deliveries?limit=2`;
    while (path !== undefined) {
      const response = await service.call(`GET ${path}`);
      const { deliveries } = await response.json();
      seen.push(...deliveries.map(({ messageId }: { messageId: string }) => messageId));
      path = /<(.+)>/.exec(response.headers.get("Link") ?? "")?.[1];
    }
    assertEquals([seen.length, seen], [5, seen.toSorted().toReversed()]);
  });
});
