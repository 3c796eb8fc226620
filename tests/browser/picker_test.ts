import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { startBrowser } from "./browser.ts";
import { addMember, HOME } from "./flows.ts";
import { type BrowserService, startService } from "./service.ts";
import { openVisitor } from "./visitor.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

describe("picking a trainer by name", () => {
  let browser: Browser;
  let service: BrowserService;
  let anna: string;
  beforeAll(async () => {
    browser = await startBrowser();
    service = await startService({ background: false });
    await service.sql`update public.members set display_name = 'First trainer'`;
    anna = await addMember(service.sql, { displayName: "Anna Berg", email: "anna@example.com" });
    await addMember(service.sql, {
      displayName: "Joanna with a name that is longer than any line of a phone 💰🦄",
      email: "joanna.with.an.address.that.is.long@department.example.com",
    });
    for (let number = 1; number <= 15; number++) {
      await addMember(service.sql, { displayName: `Many ${number}` });
    }
  });
  afterAll(async () => {
    await service.stop();
    await browser.close();
  });

  for (const [device, options] of [["a desktop", {}], ["a phone", PHONE]] as const) {
    it(`works on ${device} without scripts: Find, choose, send`, async () => {
      const id = await addMember(service.sql, { displayName: "Somebody" });
      const visitor = await openVisitor(browser, service.url, { ...options, javaScriptEnabled: false });
      visitor.expectInConsole(/status of 422/);
      const { page } = visitor;
      await visitor.signIn();
      await page.goto(`${HOME}/members?q=${id}`);
      await page.getByText("Add another trainer…").click();
      await page.getByLabel("Trainer", { exact: true }).fill("anna");
      await page.getByLabel("Notes (optional)").fill("asked for her");
      await page.locator(".assign").getByRole("button", { name: "Find" }).click();
      await page.getByText("choose one of the members found").waitFor();
      assertEquals(await page.getByRole("radio").count(), 2);
      await page.getByRole("radio", { name: "Anna Berg anna@example.com" }).check();
      await page.getByRole("button", { name: "Assign now" }).click();
      await page.getByText("The member is assigned.").waitFor();
      const text = (await page.locator(".assignment").allInnerTexts()).join("\n");
      assertStringIncludes(text, "To Anna Berg");
      assertStringIncludes(text, "asked for her");
      await visitor.leave();
    });

    it(`suggests while somebody types on ${device}, and by keyboard`, async () => {
      const id = await addMember(service.sql, { displayName: "Somebody else" });
      const visitor = await openVisitor(browser, service.url, options);
      const { page } = visitor;
      await visitor.signIn();
      await page.goto(`${HOME}/members?q=${id}`);
      await page.getByText("Add another trainer…").click();
      const input = page.getByLabel("Trainer", { exact: true });
      await input.fill("many");
      await page.getByText("There are more. Type more of the name.").waitFor();
      assertEquals(await page.getByRole("radio").count(), 12);
      await visitor.audit("many suggestions");
      await input.fill("anna");
      await page.getByRole("radio", { name: /Joanna/ }).waitFor();
      assertEquals(await page.getByRole("radio").count(), 2);
      await visitor.audit("suggestions");
      await input.press("Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Space");
      await page.keyboard.press("Enter");
      await page.getByText("The member is assigned.").waitFor();
      assertStringIncludes((await page.locator(".assignment").allInnerTexts()).join("\n"), "Anna Berg");
      await visitor.leave();
    });
  }

  it("keeps the suggestions while the overview updates itself", async () => {
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await page.getByText("Change…").click();
    await page.getByLabel("The new default trainer").fill("berg");
    await page.getByRole("radio", { name: /Anna Berg/ }).check();
    const readAt = await page.locator("main").getAttribute("data-read-at");
    await page.locator(`main:not([data-read-at="${readAt}"])`).waitFor();
    assertEquals(await page.getByRole("radio", { name: /Anna Berg/ }).isChecked(), true);
    await visitor.audit("a suggestion on the overview");
    await page.getByRole("button", { name: "Review the change" }).click();
    await page.getByRole("heading", { name: "Change the default trainer?" }).waitFor();
    await page.getByRole("link", { name: /Anna Berg/ }).waitFor();
    await visitor.leave();
  });

  it("adds a trainer to a rule", async () => {
    const visitor = await openVisitor(browser, service.url, { javaScriptEnabled: false });
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/policy/draft`);
    await page.getByRole("button", { name: "Add a rule" }).click();
    await page.getByLabel("or another member").fill("anna");
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByRole("radio", { name: /Anna Berg/ }).check();
    await page.locator("button[value=add-trainer]").click();
    await page.getByLabel("Share of Anna Berg").waitFor();
    assertEquals(await page.locator(`.picked input[value="${anna}"]`).count(), 1);
    await visitor.leave();
  });
});
