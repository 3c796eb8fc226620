import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { assignClientToTrainer, endAssignment } from "../../src/assignments/assign.ts";
import { startTransfer } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveToEnd } from "../support/backfills.ts";
import { putRules, setCapacity } from "../support/policies.ts";
import { startBrowser } from "./browser.ts";
import { addMember, HOME } from "./flows.ts";
import { type BrowserService, startService, TOKENS } from "./service.ts";
import { openVisitor } from "./visitor.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const NO_SCRIPT = { javaScriptEnabled: false };

describe("the history on the admin page", () => {
  let browser: Browser;
  let service: BrowserService;
  let anna: string;
  let member: string;
  beforeAll(async () => {
    browser = await startBrowser();
    service = await startService({ background: false });
    const { sql } = service;
    await sql`update public.members set display_name = 'First trainer'`;
    anna = await addMember(sql, { displayName: "Anna", email: "anna@example.com" });
    member = await addMember(sql, { displayName: "Somebody", email: "somebody@example.com" });
    await assignClientToTrainer(sql, member, { trainerId: anna, actor: "office" });
    await endAssignment(sql, anna, member, { actor: "office" });
    await setCapacity(sql, anna, 30);
    await putRules(sql, [{ name: "Nobody yet", assign: { choose: "nobody" } }]);
    const request = { fromTrainerId: DEFAULT_TRAINER_ID, trainerId: anna, requestedBy: "office" };
    await driveToEnd(sql, await startTransfer(sql, request));
    await sql`update public.trainer_client_assignments set notes = 'changed' where client_id = ${member}`;
  });
  afterAll(async () => {
    await service.stop();
    await browser.close();
  });

  async function lookAround(options: BrowserContextOptions, token?: string): Promise<void> {
    const visitor = await openVisitor(browser, service.url, options);
    const audit = options === NO_SCRIPT ? () => Promise.resolve() : visitor.audit;
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn(token);
    await page.getByRole("link", { name: "History" }).first().click();
    await page.getByRole("heading", { name: "History" }).waitFor();
    await audit("the history");
    const list = page.locator("table");
    for (const shown of ["Assigned by hand", "Changed the policy", "capacity: from no limit to 30 clients"]) {
      assertStringIncludes(await list.innerText(), shown);
    }
    await page.getByText("Show a part of it…").click();
    await page.getByLabel("What was done").selectOption({ label: "Assigned by hand" });
    await page.getByLabel("To which member").fill("some");
    await page.locator("button[name=find][value=member]").click();
    await page.getByRole("radio", { name: /Somebody/ }).check();
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await list.getByText("Assigned by hand").waitFor();
    assertEquals(await list.locator("tbody tr").count(), 1);
    await audit("a part of the history");
    await page.getByRole("link", { name: "Show all" }).click();
    await list.getByText("Changed the policy").waitFor();
    await page.goto(`${HOME}/trainers/${anna}`);
    await page.getByText("Who changed this, when").click();
    await page.getByText("capacity: from no limit to 30 clients").waitFor();
    await audit("who changed a trainer's settings");
    await page.getByRole("link", { name: "All of its history" }).click();
    await list.getByText("Changed a trainer's settings").waitFor();
    await visitor.leave();
  }

  it("is filtered and followed without script", () => lookAround(NO_SCRIPT));
  it("is filtered and followed on a desk", () => lookAround({}));
  it("is filtered and followed on a phone, by a viewer", () => lookAround(PHONE, TOKENS.viewer));
});
