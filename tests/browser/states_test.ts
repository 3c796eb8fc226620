import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import {
  acceptAssignments,
  addUnseenMembers,
  refuseAssignments,
  slowAssignments,
} from "../support/members.ts";
import { startBrowser } from "./browser.ts";
import {
  addMember,
  assertFiguresAreTrue,
  HOME,
  readFigure,
  startRun,
  waitForProgress,
  waitForStatus,
} from "./flows.ts";
import { waitUntil } from "../support/wait_until.ts";
import { type BrowserService, startService } from "./service.ts";
import { evaluate, openVisitor } from "./visitor.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

describe("the admin page", () => {
  let browser: Browser;
  let service: BrowserService;
  beforeAll(async () => {
    browser = await startBrowser();
    service = await startService({ restRatio: 3 });
  });
  afterAll(async () => {
    await service.stop();
    await browser.close();
  });

  it("says on every empty page what to do next", async () => {
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await page.getByRole("heading", { name: "There are no members yet." }).waitFor();
    await visitor.audit("an empty overview");
    const pages = {
      runs: "No run yet.",
      members: "Look up a member",
      trainers: "Default trainer",
      failures: "No sign-up waits",
    };
    for (const [path, text] of Object.entries(pages)) {
      await page.goto(`${HOME}/${path}`);
      await page.getByText(text).waitFor();
      await visitor.audit(`empty: ${path}`);
    }
    await visitor.leave();
  });

  it("answers an unknown page and an unknown run with a page that has a way out", async () => {
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 40[04]/);
    const { page } = visitor;
    await visitor.signIn();
    const unknown = [
      ["/admin/nothing", "There is no such page", "Go to the overview", "There are no members yet."],
      [`${HOME}/runs/${crypto.randomUUID()}`, "There is no such run", "Go to all runs", "Runs"],
      [
        `${HOME}/trainers/${crypto.randomUUID()}`,
        "There is no such trainer",
        "Look for another trainer",
        "Trainers",
      ],
      [`${HOME}/runs?cursor=nonsense`, "This page of the list is gone", "Go to the first page", "Runs"],
    ] as const;
    for (const [path, title, action, heading] of unknown) {
      await page.goto(path);
      await page.getByRole("heading", { name: title }).waitFor();
      await visitor.audit(title);
      await page.getByRole("link", { name: action, exact: true }).click();
      await page.getByRole("heading", { name: heading }).waitFor();
    }
    await visitor.leave();
  });

  it("works without script: a form starts a run, and a reload shows how it stands", async () => {
    await addUnseenMembers(service.sql, 3_000);
    await slowAssignments(service.sql, 2);
    const visitor = await openVisitor(browser, service.url, { javaScriptEnabled: false });
    const { page } = visitor;
    await visitor.signIn();
    await waitUntil("the members are counted", async () => {
      await page.reload();
      return await readFigure(page, "Members") > 3_000;
    });
    await startRun(page, { batchRows: 100 });
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("The run was paused.").waitFor();
    await acceptAssignments(service.sql);
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("The run was resumed.").waitFor();
    await waitUntil("the run has succeeded", async () => {
      await page.reload();
      return await page.locator(".run .badge", { hasText: "Succeeded" }).count() > 0;
    });
    assertEquals(await readFigure(page, "Successfully assigned"), 3_000);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await visitor.leave();
  });

  it("works on a phone that is 360 pixels wide", async () => {
    await addUnseenMembers(service.sql, 2_000);
    await refuseAssignments(service.sql, "new.client_id::text like '%00'");
    const visitor = await openVisitor(browser, service.url, PHONE);
    const { page } = visitor;
    await visitor.signIn();
    await visitor.audit("a phone");
    await startRun(page, { batchRows: 100 });
    await visitor.audit("a run on a phone");
    await page.locator(".run .badge", { hasText: /Succeeded|Completed/ }).first().waitFor();
    await page.locator(".run").getByRole("link").first().click();
    await page.getByRole("heading", { name: "Who did what" }).waitFor();
    await visitor.audit("a run's page on a phone");
    for (const path of ["runs", "members", "trainers", "failures"]) {
      await page.goto(`${HOME}/${path}`);
      await visitor.audit(`${path} on a phone`);
    }
    await page.goto(`${HOME}/runs`);
    const card = page.getByRole("region", { name: "List: Runs" }).getByRole("row").nth(1);
    const titles = await evaluate(
      page,
      "[...document.querySelectorAll('tbody tr:first-child td')].map((td) => getComputedStyle(td, '::before').content)",
    );
    assertEquals(
      titles,
      ["Run", "Trainer", "Status", "Started", "Done", "Skipped", "Failed"].map((t) => `"${t}"`),
    );
    assertEquals(await card.getByRole("cell").count(), 7);
    await visitor.leave();
  });

  it("keeps what was typed into a refused form, and continues to update itself", async () => {
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn();
    await page.getByText("Options").click();
    await page.getByLabel("Another trainer").fill("0195d3a1-typo");
    await page.getByLabel("Rows per batch").fill("250");
    await page.getByRole("button", { name: "Dry run first" }).click();
    await page.getByText("No member has such a name, e-mail or id.").waitFor();
    await visitor.audit("a refused form");
    const readAt = await page.locator("main").getAttribute("data-read-at");
    await waitUntil(
      "the page has renewed itself",
      async () => await page.locator("main").getAttribute("data-read-at") !== readAt,
    );
    assertEquals(await page.getByLabel("Another trainer").inputValue(), "0195d3a1-typo");
    assertEquals(await page.getByLabel("Rows per batch").inputValue(), "250");
    await page.reload(); // sends nothing again
    assertEquals(await page.getByText("No member has such a name, e-mail or id.").count(), 0);

    await page.getByText("Change…").click();
    await page.getByLabel("The new default trainer").fill("mistyped");
    await page.getByRole("button", { name: "Review the change" }).click();
    await page.getByText("No member has such a name, e-mail or id.").waitFor();
    assertEquals(await page.getByLabel("or another member").inputValue(), "mistyped");
    await visitor.leave();
    assertEquals((await service.sql`select from assignment.backfill_runs where dry_run`).length, 0);
  });

  it("keeps the notes that were typed for an assignment to nobody, without script too", async () => {
    const id = await addMember(service.sql);
    await service.sql`select assignment.end_assignment(${id}, ${DEFAULT_TRAINER_ID})`;
    for (const javaScriptEnabled of [true, false]) {
      const visitor = await openVisitor(browser, service.url, { javaScriptEnabled });
      visitor.expectInConsole(/status of 422/);
      const { page } = visitor;
      await visitor.signIn();
      const nobody = crypto.randomUUID();
      await page.goto(`${HOME}/members?q=${id}`);
      await page.getByLabel("Trainer", { exact: true }).fill(nobody);
      await page.getByLabel("Notes (optional)").fill('asked "twice" & <again>');
      await page.getByRole("button", { name: "Assign now" }).click();
      await page.getByText("There is no member with this id who could be the trainer.").waitFor();
      assertEquals(await page.getByLabel("Trainer", { exact: true }).inputValue(), nobody);
      assertEquals(await page.getByLabel("Notes (optional)").inputValue(), 'asked "twice" & <again>');
      await visitor.leave();
    }
  });

  it("is used by keyboard alone, and keeps the focus while it updates itself", async () => {
    await addUnseenMembers(service.sql, 4_000);
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(HOME);
    await page.keyboard.press("Tab");
    assertEquals(await evaluate(page, "document.activeElement.textContent"), "Skip to the content");
    await page.keyboard.press("Enter");
    await tabTo(page, "Options");
    await page.keyboard.press("Enter");
    for (const _ of ["trainer", "Find", "rows"]) await page.keyboard.press("Tab");
    await page.keyboard.type("20");
    await page.keyboard.press("Enter");
    await page.getByText("The run has started.").waitFor();
    await tabTo(page, "Pause");
    await waitForProgress(page, 1);
    const before = Number(await page.getByRole("progressbar").getAttribute("value"));
    await waitForProgress(page, before + 1);
    assertEquals(await evaluate(page, "document.activeElement.textContent"), "Pause");
    await visitor.leave();
    await waitForEnd();
  });

  it("is small, and is cached by browsers only if it never changes", async () => {
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    const sizes: number[] = [];
    page.on(
      "response",
      async (response) => sizes.push((await response.body().catch(() => new Uint8Array())).length),
    );
    await visitor.signIn();
    await page.goto(HOME);
    await waitForStatus(page, "Completed");
    await assertFiguresAreTrue(page, service.sql);
    assertEquals(sizes.reduce((sum, size) => sum + size, 0) < 150_000, true);
    const own = await page.request.get(HOME);
    assertEquals(own.headers()["cache-control"], "no-store");
    const style = await page.request.get(/href="([^"]+\.css)"/.exec(await own.text())?.[1] ?? "");
    assertStringIncludes(style.headers()["cache-control"] ?? "", "immutable");
    await visitor.leave();
  });

  it("works with a members table that has nothing but ids", async () => {
    await service.sql`alter table public.members drop column email, drop column display_name`;
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await page.getByRole("link", { name: "Members" }).click();
    await page.getByLabel("A member's id", { exact: true }).fill("member@example.com");
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByText("The service reads no names: look up members by id.").waitFor();
    const [member] = await service.sql<
      [{ id: string }]
    >`select client_id as id from public.trainer_client_assignments limit 1`;
    await page.goto(`${HOME}/members?q=${member.id}`);
    await page.getByRole("heading", { name: "Member Assigned" }).waitFor();
    await visitor.audit("a member without a name");
    await visitor.leave();
  });

  async function tabTo(page: Parameters<typeof evaluate>[0], name: string): Promise<void> {
    for (let presses = 0; presses < 60; presses++) {
      if (await evaluate(page, "document.activeElement.textContent") === name) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`${name} is not reached by keyboard`);
  }

  async function waitForEnd(): Promise<void> {
    await waitUntil("no run is running", async () => {
      const running = await service.sql`select from assignment.backfill_runs where status = 'running'`;
      return running.length === 0;
    });
  }
});
