import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { setCapacity } from "../support/policies.ts";
import { acceptAssignments, refuseAssignments } from "../support/members.ts";
import { startBrowser } from "./browser.ts";
import { addMember, HOME } from "./flows.ts";
import { type BrowserService, startService } from "./service.ts";
import { openVisitor } from "./visitor.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

describe("assigning by hand on the admin page", () => {
  let browser: Browser;
  let service: BrowserService;
  beforeAll(async () => {
    browser = await startBrowser();
    service = await startService({ background: false });
    await service.sql`update public.members set display_name = 'First trainer'`;
  });
  afterAll(async () => {
    await service.stop();
    await browser.close();
  });

  it("says why the database refused, in words and in its own, and keeps what was typed", async () => {
    const id = await addMember(service.sql, { displayName: "Somebody" });
    await service.sql`select assignment.end_assignment(${id}, ${DEFAULT_TRAINER_ID})`;
    await refuseAssignments(service.sql, "true");
    const visitor = await openVisitor(browser, service.url, PHONE);
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/members?q=${id}`);
    await page.getByLabel("Notes (optional)").fill("asked for it");
    await page.getByRole("button", { name: "Assign now" }).click();
    const notice = page.locator(".notice");
    await notice.getByText("The database refused the assignment. A trigger of the database refused it.")
      .waitFor();
    assertStringIncludes(await notice.locator(".message").innerText(), `member ${id} is refused`);
    assertEquals(await page.getByLabel("Notes (optional)").inputValue(), "asked for it");
    await visitor.audit("an assignment that was refused");
    await acceptAssignments(service.sql);
    await page.getByRole("button", { name: "Assign now" }).click();
    await page.getByText("The member is assigned.").waitFor();
    await visitor.leave();
  });

  it("adds a trainer beside the present one, and says so before", async () => {
    const second = await addMember(service.sql, { displayName: "Second trainer" });
    const id = await addMember(service.sql, { displayName: "Somebody else" });
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/members?q=${id}`);
    await page.getByText("Add another trainer…").click();
    await page.getByText("The member keeps the trainer they have, and gets this one in addition.").waitFor();
    await visitor.audit("asking for another trainer");
    await page.getByLabel("Trainer", { exact: true }).fill("mistyped");
    await page.getByRole("button", { name: "Assign now" }).click();
    await page.getByText("No member has such a name, e-mail or id.").waitFor();
    assertEquals(await page.getByLabel("Trainer", { exact: true }).inputValue(), "mistyped"); // still open
    await page.getByLabel("Trainer", { exact: true }).fill(second);
    await page.getByRole("button", { name: "Assign now" }).click();
    await page.getByText("The member is assigned.").waitFor();
    const text = (await page.locator(".assignment").allInnerTexts()).join("\n");
    assertStringIncludes(text, "To First trainer");
    assertStringIncludes(text, "To Second trainer");
    await visitor.audit("a member with two trainers");
    await visitor.leave();
  });

  it("asks whether to go beyond the capacity of a full trainer, and does it with what was typed", async () => {
    const full = await addMember(service.sql, { displayName: "Full trainer" });
    await setCapacity(service.sql, full, 0);
    const id = await addMember(service.sql, { displayName: "A friend" });
    const visitor = await openVisitor(browser, service.url, { ...PHONE, javaScriptEnabled: false });
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/members?q=${id}`);
    await page.getByText("Add another trainer…").click();
    await page.getByLabel("Trainer", { exact: true }).fill(full);
    await page.getByLabel("Notes (optional)").fill("asked for her");
    await page.getByRole("button", { name: "Assign now" }).click();
    await page.getByText("The trainer has no room. Nobody was assigned.").waitFor();
    await page.getByText("has 0 clients, and a capacity of 0.").waitFor();
    assertEquals(await page.getByLabel("Notes (optional)").inputValue(), "asked for her");
    await page.getByRole("button", { name: "Assign anyway, beyond the capacity" }).click();
    await page.getByText("The member is assigned.").waitFor();
    const text = (await page.locator(".assignment").allInnerTexts()).join("\n");
    assertStringIncludes(text, "To Full trainer");
    assertStringIncludes(text, "asked for her");
    await visitor.leave();
  });
});
