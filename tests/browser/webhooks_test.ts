import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { createKey } from "../../src/webhooks/key.ts";
import { startBrowser } from "./browser.ts";
import { addMember, HOME } from "./flows.ts";
import { type BrowserService, startService, TOKENS } from "./service.ts";
import { openVisitor } from "./visitor.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** A receiver that verifies with a secret, and answers what the test wants. */
function startReceiver() {
  const state = { secret: "", status: 204, answer: "", types: [] as string[] };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const headers = Object.fromEntries(request.headers);
    const message = new Webhook(state.secret).verify(await request.text(), headers);
    state.types.push(JSON.stringify(message));
    return new Response(state.status === 204 ? null : state.answer, { status: state.status });
  });
  return { state, url: `http://127.0.0.1:${server.addr.port}/hooks`, stop: () => server.shutdown() };
}

describe("webhooks on the admin page", () => {
  let browser: Browser;
  let service: BrowserService;
  beforeAll(async () => {
    browser = await startBrowser();
    service = await startService({
      webhooks: { keys: [Uint8Array.fromBase64(createKey())], allowPrivate: true },
    });
  });
  afterAll(async () => {
    await service.stop();
    await browser.close();
  });

  for (const [place, size] of Object.entries({ desk: {}, phone: PHONE })) {
    it(`are created, tested, watched, changed and deleted on a ${place}`, async () => {
      const receiver = startReceiver();
      const visitor = await openVisitor(browser, service.url, size);
      visitor.expectInConsole(/status of 422/);
      const { page } = visitor;
      await visitor.signIn();
      await page.goto(`${HOME}/webhooks`);
      await page.getByText("There are no webhooks").waitFor();
      await visitor.audit("no webhooks");
      await page.getByText("Create a webhook…").click();
      await page.getByLabel("What it is for").fill("the CRM");
      await page.getByLabel(/^URL/).fill(receiver.url);
      await page.getByRole("button", { name: "Create", exact: true }).click();
      await page.getByText("Choose at least one thing").waitFor();
      await visitor.audit("a refused webhook");
      await page.getByLabel("Members get a trainer").check();
      await page.getByRole("button", { name: "Create", exact: true }).click();

      await page.getByRole("heading", { name: "The secret" }).waitFor();
      receiver.state.secret = await page.locator("code.secret").innerText();
      assertMatch(receiver.state.secret, /^whsec_/);
      await visitor.audit("a new webhook");
      await page.getByRole("button", { name: "Send a test" }).click();
      await page.getByText("A test message is being sent").waitFor();
      assertEquals(await page.locator("code.secret").count(), 0);
      await page.locator("td", { hasText: /^204 after/ }).waitFor();
      await page.getByRole("link", { name: "A test", exact: true }).waitFor();
      assert(receiver.state.types.some((message) => message.includes('"test":true')));

      Object.assign(receiver.state, { status: 503, answer: "down for maintenance" });
      await addMember(service.sql);
      await page.locator("td", { hasText: /^503 after/ }).waitFor();
      await visitor.audit("a webhook that fails");
      await page.getByRole("link", { name: "Members get a trainer" }).first().click();
      await page.getByText("down for maintenance").waitFor();
      await visitor.audit("a message");
      receiver.state.status = 204;
      await page.getByRole("button", { name: "Send it again" }).click();
      await page.getByText("Sent again: 1 message.").waitFor();
      await page.locator(".badge", { hasText: "Delivered" }).waitFor();

      await page.getByRole("link", { name: "the CRM" }).click();
      await page.getByText("Change…").click();
      await page.getByLabel("Assignments end").check();
      await visitor.audit("the form of a webhook");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Is told when: Members get a trainer; Assignments end.").waitFor();
      await page.getByText("New secret…").click();
      await page.getByRole("button", { name: "Make a new secret" }).click();
      await page.getByText("signed with the former secret too").waitFor();
      await page.getByRole("button", { name: "Disable" }).click();
      await page.getByText("The webhook is disabled.").waitFor();
      await page.getByRole("link", { name: "Webhooks" }).click();
      await page.locator(".badge", { hasText: "Disabled" }).waitFor();
      await visitor.audit("the list of webhooks");
      await page.getByRole("link", { name: "the CRM" }).click();
      await page.getByText("Delete…").click();
      await visitor.audit("a webhook about to be deleted");
      await page.getByRole("button", { name: "Delete the webhook" }).click();
      await page.getByText("The webhook was deleted.").waitFor();
      await visitor.leave();
      await receiver.stop();
    });
  }

  it("are shown to a viewer, who has nothing to press", async () => {
    const admin = await openVisitor(browser, service.url);
    await admin.signIn();
    await admin.page.goto(`${HOME}/webhooks`);
    await admin.page.getByText("Create a webhook…").click();
    await admin.page.getByLabel("A run ends").check();
    await admin.page.getByRole("button", { name: "Create", exact: true }).click();
    await admin.page.getByText("Messages are kept for seven days.").waitFor();
    const path = new URL(admin.page.url()).pathname;
    await admin.leave();

    const viewer = await openVisitor(browser, service.url, PHONE);
    const { page } = viewer;
    await viewer.signIn(TOKENS.viewer);
    for (const at of [`${HOME}/webhooks`, path]) {
      await page.goto(at);
      await page.getByRole("heading", { level: 1 }).waitFor();
      const buttons = await page.locator("button, summary").allInnerTexts();
      assertEquals(buttons.filter((label) => !["Sign out", "Who changed this, when"].includes(label)), []);
      await viewer.audit(`a viewer at ${at}`);
    }
    await viewer.leave();
  });
});
