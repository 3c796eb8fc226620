import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { startBrowser } from "./browser.ts";
import { assertFiguresAreTrue, HOME, readFigure, startRun, waitForProgress, waitForStatus } from "./flows.ts";
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
    await page.getByRole("heading", { name: "20,000 of 20,000 members have no trainer." }).waitFor();
    await visitor.audit("before a run");

    await startRun(page);
    await waitForStatus(page, "Running");
    await visitor.audit("a run under way");
    await waitForStatus(page, "Succeeded");
    await page.getByRole("heading", { name: "Every member has a trainer." }).waitFor();
    assertEquals(await readFigure(page, "Successfully assigned"), 20_000);
    assertEquals(await readFigure(page, "Remaining"), 0);
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
    assertEquals(await readFigure(visitor.page, "Unassigned"), 300);
    const rows = await service.sql`select from public.trainer_client_assignments`;
    assertEquals(rows.length, 0);
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
    await other.page.getByText("A run is active.").waitFor();
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
    await office.signIn();
    await other.signIn(TOKENS.otherAdmin);
    await startRun(office.page, SLOW);
    await other.page.getByRole("button", { name: "Run Trainer Assignment Backfill" }).click();
    await other.page.getByText("A run is active already").waitFor();
    assertStringIncludes(await other.page.locator(".run").innerText(), "Started by office");
    await waitForStatus(office.page, "Succeeded");
    assertEquals((await service.sql`select from assignment.backfill_runs`).length, 1);
    await office.leave();
    await other.leave();
  });

  it("is paused, resumed and cancelled", async () => {
    await addUnseenMembers(service.sql, 20_000);
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await startRun(page, SLOW);
    await waitForProgress(page, 300);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("The run is paused.").waitFor();
    const paused = await page.getByRole("progressbar").getAttribute("value");
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

  it("shows whom it could not assign and why, downloads that, and tries them again", async () => {
    await addUnseenMembers(service.sql, 2_000);
    await refuseAssignments(service.sql, "new.client_id::text like '%0'");
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await startRun(page);
    await waitForStatus(page, "Completed with errors");
    await assertFiguresAreTrue(page, service.sql);
    await page.locator(".run").getByRole("link", { name: "Backfill" }).click();
    await page.getByRole("heading", { name: "Failed members" }).waitFor();
    assertStringIncludes(
      await page.getByRole("region", { name: "List: Failed members" }).innerText(),
      "A trigger of the database refused it.",
    );
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
    await visitor.audit("past runs");
    await visitor.leave();
  });

  async function assertRecorded(statuses: string[]): Promise<void> {
    const events = await service.sql`select to_status, actor from assignment.backfill_events order by id`;
    assertEquals([...events], statuses.map((toStatus) => ({ toStatus, actor: "office" })));
  }
});
