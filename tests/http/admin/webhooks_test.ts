import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { createKey, open } from "../../../src/webhooks/key.ts";
import { describeStatus } from "../../../src/webhooks/outcome.ts";
import { addressMessages, recordDeliveries } from "../../../src/webhooks/queue.ts";
import { getEndpoint, listEndpoints } from "../../../src/webhooks/endpoints.ts";
import { listDeliveries } from "../../../src/webhooks/deliveries.ts";
import { get, HOME, post, signIn } from "../admin_page.ts";
import { addMembers, type TestService, testService } from "../test_service.ts";

const KEYS = [Uint8Array.fromBase64(createKey())];
const WEBHOOKS = `${HOME}/webhooks`;
const FORM = {
  url: "https://crm.example.com/hooks",
  description: "the CRM",
  "type.assignments.created": "true",
};
const SECRET = /whsec_[A-Za-z0-9+/=]+/;

describe("the pages of webhooks", () => {
  let service: TestService;
  let cookie: string;
  beforeAll(async () => {
    service = await testService({ webhooks: { keys: KEYS, allowPrivate: false } });
    cookie = await signIn(service);
  });
  afterAll(() => service.stop());

  const send = (path: string, form: Record<string, string> = {}) => post(service, path, cookie, form);
  const text = async (path: string) => await (await get(service, path, cookie)).text();
  async function create(form: Record<string, string> = {}): Promise<{ id: string; page: string }> {
    const response = await send(WEBHOOKS, { ...FORM, ...form });
    const page = await response.text();
    assertEquals(response.status, 200);
    const [newest] = await listEndpoints(service.sql, { limit: 1 });
    return { id: newest?.id ?? "", page };
  }

  it("create one, and show its secret once", async () => {
    const { id, page } = await create();
    const [secret = ""] = SECRET.exec(page) ?? [];
    const [row] = await service.sql`select secret from assignment.webhook_endpoints where id = ${id}`;
    assertEquals(await open(KEYS, id, row?.secret), secret);
    assertStringIncludes(page, `data-address="${WEBHOOKS}/${id}"`);
    assertEquals(page.includes("data-refresh-ms"), false);
    const again = await text(`${WEBHOOKS}/${id}`);
    assertEquals(SECRET.test(again), false);
    assertStringIncludes(again, "the CRM");
    assertStringIncludes(again, "Members get a trainer");
    assertStringIncludes(await text(WEBHOOKS), FORM.url);
    assertEquals(JSON.stringify(service.logged).includes(secret), false);
  });

  it("create one for consumers who fetch, which has no secret and nothing to send", async () => {
    const { id, page } = await create({ url: "" });
    assertEquals(SECRET.test(page), false);
    assertStringIncludes(page, "GET /v1/events");
    assertEquals(/Send a test|New secret/.test(page), false);
    assertEquals((await getEndpoint(service.sql, id)).url, null);
  });

  it("refuse a form with what is wrong, and show it as it was filled in", async () => {
    for (
      const [form, message] of [
        [{ url: "http://crm.example.com" }, "The URL must begin with https://"],
        [{ url: "https://127.0.0.1/x" }, "not an address of the public internet"],
        [{ url: "crm" }, "The URL must be one such as"],
        [{ "type.assignments.created": "" }, "Choose at least one thing to be told of."],
        [{ description: "x".repeat(1001) }, "at most 1,000 characters"],
      ] as const
    ) {
      const response = await send(WEBHOOKS, { ...FORM, "type.run.ended": "", ...form });
      const page = await response.text();
      assertEquals(response.status, 422);
      assertStringIncludes(page, message);
      assertStringIncludes(page, '<details class="options" open');
    }
  });

  it("say how to make a key where there is none", async () => {
    const keyless = await testService();
    const admin = await signIn(keyless);
    assertStringIncludes(await (await get(keyless, WEBHOOKS, admin)).text(), "deno task token --webhook-key");
    const response = await post(keyless, WEBHOOKS, admin, FORM);
    assertEquals(response.status, 422);
    assertStringIncludes(await response.text(), "it has no WEBHOOK_KEY");
    await keyless.stop();
  });

  it("change, disable, enable and delete one, and say so", async () => {
    const { id } = await create();
    const path = `${WEBHOOKS}/${id}`;
    const said = async (verb: string, form: Record<string, string> = {}) =>
      (await send(`${path}/${verb}`, form)).headers.get("location");
    assertEquals(
      await said("change", { url: `${FORM.url}/new`, "type.run.ended": "true" }),
      `${path}?notice=webhook_changed`,
    );
    const { url, types, description } = await getEndpoint(service.sql, id);
    assertEquals([url, types, description], [`${FORM.url}/new`, ["run.ended"], null]);
    assertEquals(await said("disable"), `${path}?notice=webhook_disabled`);
    assertStringIncludes(await text(path), "No messages are added while it is disabled.");
    assertEquals(await said("enable"), `${path}?notice=webhook_enabled`);
    const refused = await send(`${path}/change`, { url: "http://crm.example.com", "type.run.ended": "true" });
    assertEquals(refused.status, 422);
    assertStringIncludes(await text(path), "Who changed this, when");
    assertEquals(await said("delete"), `${WEBHOOKS}?notice=webhook_deleted`);
    assertEquals((await get(service, path, cookie)).status, 404);
    assertEquals(await said("disable"), `${WEBHOOKS}?notice=webhook_not_found`);
    assertStringIncludes(await text(`${HOME}/history`), "Deleted a webhook");
  });

  it("make a new secret, and show it once", async () => {
    const { id, page } = await create();
    const rotated = await (await send(`${WEBHOOKS}/${id}/secret`)).text();
    assert(SECRET.exec(page)?.[0] !== SECRET.exec(rotated)?.[0]);
    assertMatch(rotated, /messages are signed with the former secret too/);
    assertEquals(SECRET.test(await text(`${WEBHOOKS}/${id}`)), false);
  });

  it("show what was sent and answered, and send again", async () => {
    const { id } = await create();
    const path = `${WEBHOOKS}/${id}`;
    const [member = ""] = await addMembers(service.sql, 1);
    assertEquals((await send(`${path}/test`)).headers.get("location"), `${path}?notice=test_sent`);
    await addressMessages(service.sql);
    const [test, created] = await listDeliveries(service.sql, id, { limit: 2 });
    const [testId, createdId] = [test?.messageId ?? "", created?.messageId ?? ""];
    await recordDeliveries(service.sql, id, [
      {
        messageId: createdId,
        outcome: "failed",
        status: 503,
        error: describeStatus(503),
        answer: "<b>down</b>",
        tookMs: 84,
      },
      { messageId: testId, outcome: "delivered", status: 204, tookMs: 5 },
    ]);
    const page = await text(path);
    assertMatch(page, /503 .*after 84 ms/);
    assertStringIncludes(page, "it failed; look into its log");
    assertStringIncludes(page, "Send again what was given up (of 1)");
    assertEquals((await text(`${path}?status=failed`)).includes(testId), false);
    const message = await text(`${path}/messages/${createdId}`);
    assertStringIncludes(message, member);
    assertStringIncludes(message, "&lt;b&gt;down&lt;/b&gt;");
    const notice = async (verb: string, form = {}) =>
      (await send(`${path}/${verb}`, form)).headers.get("location");
    assertEquals(await notice("redeliver", { since: "2999-01-01" }), `${path}?notice=sent_again.0`);
    for (const since of ["", "2026-02-31", "x"]) {
      assertEquals(await notice("redeliver", { since }), `${path}?notice=not_a_day`);
    }
    assertEquals(await notice("redeliver", { since: "2026-01-01" }), `${path}?notice=sent_again.1`);
    assertEquals(
      await notice(`messages/${testId}/redeliver`),
      `${path}/messages/${testId}?notice=sent_again.1`,
    );
    assertEquals((await listDeliveries(service.sql, id, { limit: 5, status: "pending" })).length, 2);
  });
});
