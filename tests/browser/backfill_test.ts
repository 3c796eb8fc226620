import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import type { Browser, Page } from "playwright-core";
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
import { type BrowserService, startService, TOKENS } from "./service.ts";
import { openVisitor } from "./visitor.ts";

// Batches of this size, with a rest of thrice their time, make 20,000 members take some seconds.
const SLOW = { batchRows: 150 };

describe("a backfill on the admin page", () => {
  let browser: Browser;
  let service: BrowserService;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    service = await startService({ restRatio: 3 });
  });
  afterEach(() => service.stop());

  it("is run and watched to its end with 20,000 members, and its figures are the database's", async () => {
    await addUnseenMembers(service.sql, 20_000);
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await page.getByRole("heading", { name: "20,000 of 20,001 members have no trainer." }).waitFor();
    await visitor.audit("before a run");

    await startRun(page);
    await waitForStatus(page, "Running");
    await visitor.audit("a run under way");
    await waitForStatus(page, "Succeeded");
    await page.getByRole("heading", { name: "Every member has a trainer." }).waitFor();
    assertEquals(await readFigure(page, "Successfully assigned"), 20_000);
    assertEquals(await readFigure(page, "Still without the trainer"), 0);
    await assertFiguresAreTrue(page, service.sql);
    await visitor.audit("a run that succeeded");
    await visitor.leave();
  });

  it("says first, as a dry run, what it would do, and does nothing", async () => {
    await addUnseenMembers(service.sql, 300);
    const visitor = await openVisitor(browser, service.url);
    await visitor.signIn();
    await startRun(visitor.page, { dryRun: true });
    await waitForStatus(visitor.page, "Succeeded");
    assertEquals(await readFigure(visitor.page, "Would be assigned"), 300);
    assertEquals(await readFigure(visitor.page, "Without a trainer"), 300);
    const rows = await service.sql`select from public.trainer_client_assignments`;
    assertEquals(rows.length, 0);
    assertEquals(await visitor.page.getByText("Still without the trainer").count(), 0);
    assertStringIncludes(await readLatestRun(visitor.page), "0 (300 would be)");
    await visitor.audit("a dry run");
    await visitor.leave();
  });

  it("goes on in the page after a reload midway, and shows in a second window who started it", async () => {
    await addUnseenMembers(service.sql, 20_000);
    const [office, other] = [
      await openVisitor(browser, service.url),
      await openVisitor(browser, service.url),
    ];
    await office.signIn();
    await other.signIn(TOKENS.otherAdmin);
    await other.page.getByRole("button", { name: "Run Trainer Assignment Backfill" }).waitFor();

    await startRun(office.page, SLOW);
    await waitForProgress(office.page, 1);
    await office.page.reload();
    const processed = Number(await office.page.getByRole("progressbar").getAttribute("value"));
    assert(processed > 0 && processed < 20_001);

    // By itself: nobody touched the second window.
    await other.page.getByText("A run is under way.").waitFor();
    assertStringIncludes(await other.page.locator(".run").innerText(), "Started by office");
    await Promise.all([waitForStatus(office.page, "Succeeded"), waitForStatus(other.page, "Succeeded")]);
    await assertFiguresAreTrue(office.page, service.sql);
    await assertFiguresAreTrue(other.page, service.sql);
    await office.leave();
    await other.leave();
  });

  it("is not started twice when two admins press the button, one of them on a page that is out of date", async () => {
    await addUnseenMembers(service.sql, 20_000);
    const office = await openVisitor(browser, service.url);
    const other = await openVisitor(browser, service.url, { javaScriptEnabled: false });
    other.expectInConsole(/status of 422/);
    await office.signIn();
    await other.signIn(TOKENS.otherAdmin);
    await startRun(office.page, SLOW);
    await other.page.getByRole("button", { name: "Run Trainer Assignment Backfill" }).click();
    await other.page.getByText("A run of this kind has not ended yet").waitFor();
    assertStringIncludes(await other.page.locator(".run").innerText(), "Started by office");
    await waitForStatus(office.page, "Succeeded");
    assertEquals((await service.sql`select from assignment.backfill_runs`).length, 1);
    await office.leave();
    await other.leave();
  });

  it("is paused, resumed and cancelled", async () => {
    await addUnseenMembers(service.sql, 20_000);
    await slowAssignments(service.sql, 1);
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await startRun(page, SLOW);
    await waitForProgress(page, 300);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("The run was paused.").waitFor();
    const paused = await page.getByRole("progressbar").getAttribute("value");
    await page.getByText("A run is paused, and does nothing until it is resumed.").waitFor();
    assertEquals(await page.getByText(/is active|under way|Past runs/).count(), 0);
    await visitor.audit("a paused run");
    await page.reload();
    assertEquals(await page.getByRole("progressbar").getAttribute("value"), paused);

    await page.getByRole("button", { name: "Resume" }).click();
    await waitForProgress(page, Number(paused) + 1);
    await page.getByText("Cancel…").click();
    await waitForProgress(page, Number(paused) + 600); // the page goes on, and leaves the question open
    await visitor.audit("asking whether to cancel");
    await page.getByRole("button", { name: "Cancel the run" }).click();
    await waitForStatus(page, "Cancelled");
    await visitor.audit("a cancelled run");
    await assertRecorded(["running", "paused", "running", "cancelled"]);
    const successful = await readFigure(page, "Successfully assigned");
    const rows = await service.sql`select from public.trainer_client_assignments`;
    assertEquals(rows.length, successful);
    await visitor.leave();
  });

  it("shows which members it failed to assign and why, downloads them, and tries them again", async () => {
    await addUnseenMembers(service.sql, 2_000);
    await service.sql`update public.members set display_name = 'Member ' || id`;
    await refuseAssignments(service.sql, "new.client_id::text like '%0'");
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await startRun(page);
    await waitForStatus(page, "Completed with errors");
    await assertFiguresAreTrue(page, service.sql);
    await assertAgrees(page);
    await page.locator(".run").getByRole("link", { name: "Backfill" }).click();
    await page.getByRole("heading", { name: "Failed members" }).waitFor();
    assertStringIncludes(
      await page.getByRole("region", { name: "List: Failed members" }).innerText(),
      "A trigger of the database refused it.",
    );
    const [first] = await service.sql<[{ memberId: string }]>`
      select member_id from assignment.backfill_errors order by member_id limit 1
    `;
    await page.getByRole("link", { name: `Member ${first.memberId} ${first.memberId}` }).waitFor();
    await visitor.audit("a run with errors");

    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download errors (CSV)" }).click();
    const csv = await Deno.readTextFile(await (await download).path());
    const failed = await service.sql`select from assignment.backfill_errors`;
    assertEquals(csv.trimEnd().split("\r\n").length, failed.length + 1);

    await acceptAssignments(service.sql);
    await page.getByRole("button", { name: "Retry the failed" }).click();
    await page.getByText("A new run tries the failed members again.").waitFor();
    await waitForStatus(page, "Succeeded");
    assertEquals(await readFigure(page, "Successfully assigned"), failed.length);
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Every member has a trainer." }).waitFor();
    await page.goto(`${HOME}/runs`);
    assertEquals(await page.getByRole("row").count(), 3);
    await visitor.audit("the list of runs");
    await visitor.leave();
  });

  it("distinguishes members with another trainer from those without one, after the default trainer was changed", async () => {
    await service.sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 40)`;
    await addUnseenMembers(service.sql, 2);
    const next = await addMember(service.sql, { displayName: "Next trainer" });
    await service.sql`select assignment.set_default_trainer(${next}, 'test')`;
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    // The former default trainer has none either.
    await page.getByRole("heading", { name: "3 of 44 members have no trainer." }).waitFor();
    await page.getByText("40 members have another trainer and not the default one.").waitFor();
    await page.getByText("everyone without the default trainer: 43 members now").waitFor();
    assertEquals(await readFigure(page, "With the default trainer"), 0);
    assertEquals(await readFigure(page, "Only with another trainer"), 40);
    await assertAgrees(page);
    await visitor.audit("another default trainer");
    await startRun(page);
    await waitForStatus(page, "Succeeded");
    await page.getByRole("heading", { name: "Every member has a trainer." }).waitFor();
    assertEquals(await readFigure(page, "Successfully assigned"), 43);
    assertEquals(await readFigure(page, "Only with another trainer"), 0);
    await assertAgrees(page);
    await visitor.leave();
  });

  /** The headline, the tiles, the run and the list of runs tell the same of the same members. */
  async function assertAgrees(page: Page): Promise<void> {
    const figures = ["With the default trainer", "Only with another trainer", "Without a trainer"];
    const [withIt = 0, withOther = 0, without = 0] = await Promise.all(
      figures.map((label) => readFigure(page, label)),
    );
    assertEquals(withIt + withOther + without + 1, await readFigure(page, "Members"));
    const answer = await page.locator("h1").innerText();
    const told = Number(/^([\d,]+) of/.exec(answer)?.[1]?.replaceAll(",", "") ?? 0);
    assertEquals({ answer, told }, { answer, told: without });
    const left = page.getByText("Still without the trainer");
    if (await left.count() > 0) {
      assertEquals(await readFigure(page, "Still without the trainer"), without);
      assertStringIncludes(
        await readLatestRun(page),
        (await readFigure(page, "Successfully assigned")).toLocaleString("en"),
      );
    }
  }

  async function readLatestRun(page: Page): Promise<string> {
    return await page.getByRole("region", { name: "List: Runs" }).getByRole("row").nth(1).innerText();
  }

  async function assertRecorded(statuses: string[]): Promise<void> {
    const events = await service.sql`select to_status, actor from assignment.backfill_events order by id`;
    assertEquals([...events], statuses.map((toStatus) => ({ toStatus, actor: "office" })));
  }
});
