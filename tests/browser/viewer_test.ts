import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { pauseRun, startBackfill } from "../../src/runs/runs.ts";
import { runBackfill } from "../support/backfills.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { putRules } from "../support/policies.ts";
import { startBrowser } from "./browser.ts";
import { addMember, HOME } from "./flows.ts";
import { type BrowserService, startService, TOKENS } from "./service.ts";
import { openVisitor, type Visitor } from "./visitor.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const NOTE = "You are signed in as a viewer: you can look at everything, and change nothing.";

describe("the admin page for a viewer", () => {
  let browser: Browser;
  let service: BrowserService;
  let paths: string[];
  beforeAll(async () => {
    browser = await startBrowser();
    service = await startService({ background: false });
    const { sql } = service;
    await sql`update public.members set display_name = 'First trainer'`;
    const member = await addMember(sql, { displayName: "Somebody", email: "somebody@example.com" });
    await addUnseenMembers(sql, 40);
    await refuseAssignments(sql, "true");
    await addMember(sql);
    const ended = await runBackfill(sql);
    await acceptAssignments(sql);
    const paused = await startBackfill(sql, { requestedBy: "office", trainerId: member });
    await pauseRun(sql, paused.id, "office");
    await putRules(sql, [{ name: "Nobody yet", assign: { choose: "nobody" } }]);
    await putRules(sql, []);
    paths = [
      "",
      "/policy",
      "/policy/versions/2",
      "/runs",
      `/runs/${ended.id}`,
      `/runs/${paused.id}`,
      `/members?q=${member}`,
      "/trainers",
      `/trainers/${DEFAULT_TRAINER_ID}`,
      "/failures",
      "/health",
    ];
  });
  afterAll(async () => {
    await service.stop();
    await browser.close();
  });

  async function lookAtAll(visitor: Visitor): Promise<void> {
    const { page } = visitor;
    await visitor.signIn(TOKENS.viewer);
    for (const path of paths) {
      await page.goto(HOME + path);
      await page.getByText(NOTE).waitFor();
      const buttons = await page.locator("button, summary").allInnerTexts();
      const changing = buttons.filter((label) => !["Sign out", "Find", "List clients"].includes(label));
      assertEquals({ path, changing }, { path, changing: [] });
      await visitor.audit(`a viewer at ${path}`);
    }
  }

  it("says on a desk and on a phone that they only look, and has nothing to press that changes something", async () => {
    for (const size of [{}, PHONE]) {
      const visitor = await openVisitor(browser, service.url, size);
      await lookAtAll(visitor);
      await visitor.leave();
    }
  });

  it("says that only an admin can change the rules, and leads back", async () => {
    const visitor = await openVisitor(browser, service.url, PHONE);
    visitor.expectInConsole(/status of 403/);
    const { page } = visitor;
    await visitor.signIn(TOKENS.viewer);
    await page.goto(`${HOME}/policy/draft`);
    await page.getByRole("heading", { name: "Only an admin can do this" }).waitFor();
    await visitor.audit("a change that is not for a viewer");
    await page.getByRole("link", { name: "Go to the overview" }).click();
    await page.getByRole("heading", { name: "Backfill", exact: true }).waitFor();
    await visitor.leave();
  });
});
