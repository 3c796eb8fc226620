import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { addressMessages } from "../../src/webhooks/queue.ts";
import { createKey, open } from "../../src/webhooks/key.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const KEYS = [Uint8Array.fromBase64(createKey())];
const URL = "https://crm.example.com/hooks";
const SOME_ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";
const SECRET = `whsec_${new Uint8Array(32).toBase64()}`;

describe("webhooks over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService({ webhooks: { keys: KEYS, allowPrivate: false } });
  });
  afterAll(() => service.stop());

  async function create(json: object = {}) {
    const response = await service.call("POST /v1/webhooks", {
      json: { url: URL, types: ["assignments.created"], ...json },
    });
    assertEquals(response.status, 201);
    return await response.json();
  }

  async function secretsInDatabase(id: string): Promise<string[]> {
    const [row] = await service.sql<{ secret: string; former: string | null }[]>`
      select secret, former_secret as former from assignment.webhook_endpoints where id = ${id}
    `;
    const sealed = [row?.secret ?? "", row?.former ?? ""].filter((text) => text !== "");
    return await Promise.all(sealed.map((text) => open(KEYS, id, text)));
  }

  async function refusal(request: string, json: unknown): Promise<[number, unknown]> {
    const response = await service.call(request, { json });
    const { code, errors } = await response.json();
    return [response.status, errors?.[0]?.pointer ?? code];
  }

  it("are created with a secret that is shown once, and lies sealed in the database", async () => {
    const response = await service.call("POST /v1/webhooks", {
      json: { url: URL, types: ["assignments.created", "run.ended"], description: "the CRM" },
    });
    const { secret, ...webhook } = await response.json();
    assertEquals(response.headers.get("Location"), `/v1/webhooks/${webhook.id}`);
    assertMatch(secret, /^whsec_/);
    assertEquals(await secretsInDatabase(webhook.id), [secret]);
    assertEquals(
      await (await service.call(`GET /v1/webhooks/${webhook.id}`)).json(),
      webhook,
    );
    assertEquals(
      [webhook.url, webhook.types, webhook.description, webhook.enabled, webhook.createdBy, webhook.pending],
      [URL, ["assignments.created", "run.ended"], "the CRM", true, "ops", 0],
    );
    const { webhooks: [listed] } = await (await service.call("GET /v1/webhooks?limit=1")).json();
    assertEquals(listed, webhook);
    assertEquals(JSON.stringify(service.logged).includes(secret), false);
  });

  it("tell viewers, the history and the log the origin of a URL alone", async () => {
    const secretUrl = (path: string) => `https://crm.example.com:8443/${path}/hidden?token=hidden`;
    const { id, url } = await create({ url: secretUrl("one") });
    assertEquals(url, secretUrl("one"));
    const change = { url: secretUrl("two"), enabled: false };
    await service.call(`PATCH /v1/webhooks/${id}`, { json: change });
    for (const path of [`/v1/webhooks/${id}`, "/v1/webhooks?limit=1"]) {
      const text = await (await service.call(`GET ${path}`, { as: "viewer" })).text();
      assertStringIncludes(text, "https://crm.example.com:8443/…");
      assertEquals(text.includes("hidden"), false);
      assertStringIncludes(await (await service.call(`GET ${path}`)).text(), secretUrl("two"));
    }
    await service.call(`DELETE /v1/webhooks/${id}`);
    const { lines } = await (await service.call(`GET /v1/audit?subject=webhook:${id}`)).json();
    assertEquals(JSON.stringify(lines).includes("hidden"), false);
    assertEquals(
      lines.map(({ before, after }: Record<string, { url: string; newUrl?: boolean } | null>) => [
        before?.url,
        after?.url,
        after?.newUrl,
      ]),
      [
        ["https://crm.example.com:8443/…", undefined, undefined],
        ["https://crm.example.com:8443/…", "https://crm.example.com:8443/…", true],
        [undefined, "https://crm.example.com:8443/…", true],
      ],
    );
    const { actor, requestId, ...line } =
      service.logged.find(({ event, webhookId }) => event === "webhook_changed" && webhookId === id) ?? {};
    assertEquals([actor, typeof requestId], ["ops", "string"]);
    assertEquals([line.changed, line.enabled], ["enabled url", false]);
    assertEquals(JSON.stringify(service.logged).includes("hidden"), false);
  });

  it("take a secret that the receiver has already", async () => {
    const { id, secret } = await create({ secret: SECRET });
    assertEquals([secret, await secretsInDatabase(id)], [SECRET, [SECRET]]);
  });

  it("rotate the secret: the former one stays valid for 24 hours", async () => {
    const { id, secret } = await create();
    const rotated = await (await service.call(`POST /v1/webhooks/${id}/secret`)).json();
    assertNotEquals(rotated.secret, secret);
    assertEquals(await secretsInDatabase(id), [rotated.secret, secret]);
    const hoursLeft = (Date.parse(rotated.formerSecretUntil) - Date.now()) / 3_600_000;
    assertEquals(Math.round(hoursLeft), 24);
    const given = await (await service.call(`POST /v1/webhooks/${id}/secret`, { json: { secret: SECRET } }))
      .json();
    assertEquals([given.secret, await secretsInDatabase(id)], [SECRET, [SECRET, rotated.secret]]);
    const read = await (await service.call(`GET /v1/webhooks/${id}`)).json();
    assertEquals(["secret" in read, read.formerSecretUntil], [false, given.formerSecretUntil]);
  });

  it("without a URL are for consumers who fetch: no key, no secret, nothing sent", async () => {
    const keyless = await testService();
    const created = await keyless.call("POST /v1/webhooks", { json: { url: null, types: ["run.ended"] } });
    const { id, secret, url } = await created.json();
    assertEquals([created.status, url, secret], [201, null, null]);
    for (const request of [`POST /v1/webhooks/${id}/test`, `POST /v1/webhooks/${id}/secret`]) {
      const response = await keyless.call(request);
      assertEquals([response.status, (await response.json()).code], [409, "webhook_has_no_url"]);
    }
    const given = await keyless.call(`PATCH /v1/webhooks/${id}`, { json: { url: URL } });
    assertEquals([given.status, (await given.json()).code], [409, "webhook_has_no_url"]);
    await keyless.stop();
  });

  it("with a URL need a key, and say how to make one", async () => {
    const keyless = await testService();
    const response = await keyless.call("POST /v1/webhooks", { json: { url: URL, types: ["run.ended"] } });
    const { code, detail } = await response.json();
    assertEquals([response.status, code], [409, "webhooks_not_configured"]);
    assertMatch(detail, /deno task token --webhook-key/);
    assertEquals(await keyless.sql`select from assignment.webhook_endpoints`.then((rows) => rows.length), 0);
    await keyless.stop();
  });

  it("refuse what they cannot be", async () => {
    const types = ["assignments.created"];
    for (
      const [json, pointer] of [
        [{ url: "http://crm.example.com", types }, "/body/url"],
        [{ url: "ftp://crm.example.com", types }, "/body/url"],
        [{ url: "https://ops:pass@crm.example.com", types }, "/body/url"],
        [{ url: "https://ops@crm.example.com", types }, "/body/url"],
        [{ url: "/hooks", types }, "/body/url"],
        [{ url: "https://10.0.0.7/hooks", types }, "/body/url"],
        [{ url: "https://2130706433/hooks", types }, "/body/url"],
        [{ url: "https://localhost/hooks", types }, "/body/url"],
        [{ url: "https://", types }, "/body/url"],
        [{ url: `${URL}/${"x".repeat(2000)}`, types }, "/body/url"],
        [{ url: 7, types }, "/body/url"],
        [{ types }, "/body/url"],
        [{ url: URL, types: [] }, "/body/types"],
        [{ url: URL, types: ["run.ended", "run.ended"] }, "/body/types"],
        [{ url: URL, types: ["run.began"] }, "/body/types/0"],
        [{ url: URL }, "/body/types"],
        [{ url: URL, types, description: "a\0b" }, "/body/description"],
        [{ url: URL, types, description: "x".repeat(1001) }, "/body/description"],
        [{ url: URL, types, secret: "secret" }, "/body/secret"],
        [{ url: URL, types, secret: "whsec_c2hvcnQ=" }, "/body/secret"],
        [{ url: null, types, secret: SECRET }, "/body/secret"],
        [{ url: URL, types, enabled: true }, "/body/enabled"],
      ] as const
    ) {
      assertEquals(
        await refusal("POST /v1/webhooks", json),
        [400, pointer],
        JSON.stringify(json).slice(0, 80),
      );
    }
    const { id } = await create();
    for (const json of [{ url: null }, { url: "http://crm.example.com" }, { url: "https://a@b.example" }]) {
      assertEquals(await refusal(`PATCH /v1/webhooks/${id}`, json), [400, "/body/url"]);
    }
  });

  it("may be http with WEBHOOK_ALLOW_PRIVATE", async () => {
    const open = await testService({ webhooks: { keys: KEYS, allowPrivate: true } });
    const json = { url: "http://127.0.0.1:9/hooks", types: ["run.ended"] };
    assertEquals((await open.call("POST /v1/webhooks", { json })).status, 201);
    await open.stop();
  });

  it("are changed in what is given, disabled, enabled and deleted, and each is in the audit log", async () => {
    const { id } = await create({ description: "old" });
    const changed = await (await service.call(`PATCH /v1/webhooks/${id}`, {
      json: { url: `${URL}/new`, types: ["policy.changed"], enabled: false },
    })).json();
    assertEquals(
      [changed.url, changed.types, changed.enabled, changed.description, changed.disabledBecause],
      [`${URL}/new`, ["policy.changed"], false, "old", null],
    );
    const same = await (await service.call(`PATCH /v1/webhooks/${id}`, { json: {} })).json();
    assertEquals(same, changed);
    const enabled = await service.call(`PATCH /v1/webhooks/${id}`, {
      json: { enabled: true, description: null },
    });
    assertEquals((await enabled.json()).description, null);
    assertEquals((await service.call(`DELETE /v1/webhooks/${id}`)).status, 204);
    assertEquals((await service.call(`DELETE /v1/webhooks/${id}`)).status, 404);
    const { lines } = await (await service.call(`GET /v1/audit?subject=webhook:${id}`)).json();
    assertEquals(
      lines.map(({ action, actor }: { action: string; actor: string }) => `${action} ${actor}`),
      ["webhook.deleted ops", "webhook.changed ops", "webhook.changed ops", "webhook.created ops"],
    );
  });

  it("that do not exist are 404 everywhere", async () => {
    for (
      const [request, json] of [
        [`GET /v1/webhooks/${SOME_ID}`],
        [`PATCH /v1/webhooks/${SOME_ID}`, { enabled: false }],
        [`PATCH /v1/webhooks/${SOME_ID}`, { url: URL }],
        [`DELETE /v1/webhooks/${SOME_ID}`],
        [`POST /v1/webhooks/${SOME_ID}/test`],
        [`POST /v1/webhooks/${SOME_ID}/secret`],
        [`GET /v1/webhooks/${SOME_ID}/deliveries`],
        [`GET /v1/webhooks/${SOME_ID}/deliveries/${SOME_ID}`],
        [`POST /v1/webhooks/${SOME_ID}/deliveries/${SOME_ID}/redeliver`],
        [`POST /v1/webhooks/${SOME_ID}/redeliver`, { failedSince: new Date(0).toISOString() }],
      ] as const
    ) {
      assertEquals(await refusal(request, json), [404, "webhook_not_found"], request);
    }
  });

  it("show what was sent and answered, and send again", async () => {
    const { id } = await create();
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
        await refusal(`POST /v1/webhooks/${id}/redeliver`, { failedSince }),
        [400, "/body/failedSince"],
      );
    }
    assertEquals(await again(`POST /v1/webhooks/${id}/redeliver`, { failedSince: failed.endedAt }), [202, 1]);
    assertEquals(await again(`POST /v1/webhooks/${id}/deliveries/${testId}/redeliver`), [202, 1]);
    assertEquals((await list("?status=pending")).length, 2);
    assertEquals(await refusal(`POST /v1/webhooks/${id}/deliveries/${SOME_ID}/redeliver`, undefined), [
      404,
      "delivery_not_found",
    ]);
  });

  it("page through deliveries", async () => {
    const { id } = await create();
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

  it("leave the service ready when a receiver fails, or was disabled", async () => {
    const ready = async () => (await (await service.call("GET /readyz", { as: "nobody" })).json()).status;
    const before = await ready();
    await create();
    await service.sql`update assignment.webhook_endpoints set failing_since = now() - interval '4 days'`;
    assertEquals(await ready(), before);
    await service.sql`update assignment.webhook_endpoints set enabled = false, disabled_because = 'failing'`;
    assertEquals(await ready(), before);
  });

  it("answer that the database is busy while a transaction that writes leaves no moment", async () => {
    const session = await service.sql.reserve();
    await session`begin`;
    await session`lock table assignment.failures in row exclusive mode`;
    const { id } = await create({ types: ["run.ended"] });
    const response = await service.call(`PATCH /v1/webhooks/${id}`, {
      json: { types: ["assignment.failed"] },
    });
    assertEquals([response.status, (await response.json()).code], [503, "database_busy"]);
    await session`rollback`;
    session.release();
    assertEquals((await (await service.call(`GET /v1/webhooks/${id}`)).json()).types, ["run.ended"]);
  });
});
