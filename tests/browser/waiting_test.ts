import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { startBrowser } from "./browser.ts";
import { addMember, HOME, readFigure, startRun, waitForStatus } from "./flows.ts";
import { type BrowserService, startService } from "./service.ts";
import { evaluate, openVisitor, type Visitor } from "./visitor.ts";

describe("sign-ups that wait, on the admin page", () => {
  let browser: Browser;
  let service: BrowserService;
  let visitor: Visitor;
  beforeAll(async () => {
    browser = await startBrowser();
    service = await startService();
    await refuseAssignments(service.sql, "true");
    visitor = await openVisitor(browser, service.url);
    await visitor.signIn();
  });
  afterAll(async () => {
    await visitor.leave();
    await service.stop();
    await browser.close();
  });

  it("have one name everywhere, and are distinguished from those that a run failed to assign", async () => {
    const { page } = visitor;
    const id = await addMember(service.sql, { displayName: "A new member" });
    await addUnseenMembers(service.sql, 2);
    await page.goto(HOME);
    await startRun(page);
    await waitForStatus(page, "Completed with errors");
    await page.getByText("this run does not try them again").waitFor();
    assertEquals(await readFigure(page, "Failed"), 3);
    assertEquals(await readFigure(page, "Waiting sign-ups"), 1);
    await page.locator(".run").getByRole("link").first().click();
    await page.getByRole("heading", { name: "Failed members" }).waitFor();
    await page.locator("section").getByRole("link", { name: "Waiting sign-ups" }).click();
    await page.getByRole("heading", { name: "Waiting sign-ups" }).waitFor();
    assertStringIncludes(await page.getByRole("region", { name: "List: Waiting sign-ups" }).innerText(), id);
    await page.getByRole("link", { name: `A new member ${id}` }).click();
    await page.locator(".badge", { hasText: "Waiting sign-up" }).waitFor();
    await visitor.audit("a member whose sign-up waits");
  });

  it("appear and disappear in the open page by themselves, and other rows are kept", async () => {
    const { page } = visitor;
    await page.goto(`${HOME}/failures`);
    const row = page.getByRole("row").filter({ hasText: "A new member" });
    await row.getByRole("link").focus();
    const [before] = await service.sql<[{ id: string }]>`
      insert into public.members (id, display_name)
      values ('00000000-0000-4000-8000-000000000001', 'The first of all')
      returning id
    `;
    await page.getByRole("link", { name: `The first of all ${before.id}` }).waitFor();
    assertStringIncludes(String(await evaluate(page, "document.activeElement.textContent")), "A new member");
    await visitor.audit("sign-ups that wait");

    await acceptAssignments(service.sql);
    await service.sql`update assignment.failures set next_attempt_at = now()`;
    await page.getByText("No sign-up waits").waitFor();
  });
});
