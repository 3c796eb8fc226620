import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { open } from "../../src/webhooks/key.ts";
import { type TestService, testService } from "./test_service.ts";
import { createWebhook, KEYS, refusalOf, SOME_ID, URL, webhookService } from "./webhooks.ts";

const SECRET = `whsec_${new Uint8Array(32).toBase64()}`;

describe("webhooks over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await webhookService();
  });
  afterAll(() => service.stop());

  async function secretsInDatabase(id: string): Promise<string[]> {
    const [row] = await service.sql<{ secret: string; former: string | null }[]>`
      select secret, former_secret as former from assignment.webhook_endpoints where id = ${id}
    `;
    const sealed = [row?.secret ?? "", row?.former ?? ""].filter((text) => text !== "");
    return await Promise.all(sealed.map((text) => open(KEYS, id, text)));
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
    const { id, url } = await createWebhook(service, { url: secretUrl("one") });
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
    const { id, secret } = await createWebhook(service, { secret: SECRET });
    assertEquals([secret, await secretsInDatabase(id)], [SECRET, [SECRET]]);
  });

  it("rotate the secret: the former one stays valid for 24 hours", async () => {
    const { id, secret } = await createWebhook(service);
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
        await refusalOf(service, "POST /v1/webhooks", json),
        [400, pointer],
        JSON.stringify(json).slice(0, 80),
      );
    }
    const { id } = await createWebhook(service);
    for (const json of [{ url: null }, { url: "http://crm.example.com" }, { url: "https://a@b.example" }]) {
      assertEquals(await refusalOf(service, `PATCH /v1/webhooks/${id}`, json), [400, "/body/url"]);
    }
  });

  it("may be http with WEBHOOK_ALLOW_PRIVATE", async () => {
    const open = await testService({ webhooks: { keys: KEYS, allowPrivate: true } });
    const json = { url: "http://127.0.0.1:9/hooks", types: ["run.ended"] };
    assertEquals((await open.call("POST /v1/webhooks", { json })).status, 201);
    await open.stop();
  });

  it("are changed in what is given, disabled, enabled and deleted, and each is in the audit log", async () => {
    const { id } = await createWebhook(service, { description: "old" });
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
      assertEquals(await refusalOf(service, request, json), [404, "webhook_not_found"], request);
    }
  });

  it("leave the service ready when a receiver fails, or was disabled", async () => {
    const ready = async () => (await (await service.call("GET /readyz", { as: "nobody" })).json()).status;
    const before = await ready();
    await createWebhook(service);
    await service.sql`update assignment.webhook_endpoints set failing_since = now() - interval '4 days'`;
    assertEquals(await ready(), before);
    await service.sql`update assignment.webhook_endpoints set enabled = false, disabled_because = 'failing'`;
    assertEquals(await ready(), before);
  });

  it("answer that the database is busy while a transaction that writes leaves no moment", async () => {
    const session = await service.sql.reserve();
    await session`begin`;
    await session`lock table assignment.failures in row exclusive mode`;
    const { id } = await createWebhook(service, { types: ["run.ended"] });
    const response = await service.call(`PATCH /v1/webhooks/${id}`, {
      json: { types: ["assignment.failed"] },
    });
    assertEquals([response.status, (await response.json()).code], [503, "database_busy"]);
    await session`rollback`;
    session.release();
    assertEquals((await (await service.call(`GET /v1/webhooks/${id}`)).json()).types, ["run.ended"]);
  });
});
