import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Browser, Page } from "playwright-core";
import { acceptAssignments, slowAssignments } from "../support/members.ts";
import { countClients, putRules, setCapacity } from "../support/policies.ts";
import { startBrowser } from "./browser.ts";
import { addMember, HOME, readFigure, waitForProgress, waitForStatus } from "./flows.ts";
import { type BrowserService, startService } from "./service.ts";
import { openVisitor, type Visitor } from "./visitor.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const NO_SCRIPT = { javaScriptEnabled: false };

describe("moving a trainer's clients on the admin page", () => {
  let browser: Browser;
  let service: BrowserService;
  let anna: string;
  let ben: string;
  beforeEach(async () => {
    browser = await startBrowser();
    service = await startService({ restRatio: 3 });
    const { sql } = service;
    await sql`alter table public.members add column plan text`;
    anna = await addMember(sql, { displayName: "Anna", email: "anna@example.com" });
    ben = await addMember(sql, { displayName: "Ben", email: "ben@example.com" });
  });
  afterEach(async () => {
    await service.stop();
    await browser.close();
  });

  /** Gives Anna clients, whom the default trainer had. */
  async function addClients(count: number): Promise<void> {
    await service.sql`
      insert into public.members (display_name, plan)
      select 'Client ' || n, (array['pro', 'basic'])[1 + n % 2] from generate_series(1, ${count}) as n
    `;
    await service.sql`delete from public.trainer_client_assignments where client_id in (${anna}, ${ben})`;
    await service.sql`update public.trainer_client_assignments set trainer_id = ${anna}`;
  }

  const press = (page: Page, name: string | RegExp) => page.getByRole("button", { name }).click();

  async function pickBen(page: Page): Promise<void> {
    await page.getByLabel("To this trainer:").check();
    await page.getByLabel("The new trainer").fill("Ben");
  }

  for (const [how, options] of [["without script", NO_SCRIPT], ["on a phone", PHONE]] as const) {
    it(`shows who gets whom, moves everybody, and says what is left to do, ${how}`, async () => {
      await addClients(60);
      const visitor = await openVisitor(browser, service.url, options);
      const audit = options === PHONE ? visitor.audit : () => Promise.resolve();
      const { page } = visitor;
      await visitor.signIn();
      await page.goto(`${HOME}/trainers/${anna}`);
      await audit("a trainer's clients");
      await page.getByRole("link", { name: "Move clients…" }).click();
      await pickBen(page);
      await audit("the form of a transfer");
      assertEquals(await page.getByLabel(/takes no new clients/).isChecked(), true);
      await page.getByRole("button", { name: "Preview…" }).click();
      await page.getByText("60 of 60 clients would be moved.").waitFor();
      await page.getByText("The first 50 of 60.").waitFor();
      await audit("the preview of a transfer");
      assertEquals(await countClients(service.sql, [anna, ben]), [60, 0]);
      await press(page, "Move 60 clients");
      await page.getByText("and their former trainer takes no new ones from now on").waitFor();
      await seeEnd(visitor, options === NO_SCRIPT);
      await page.getByText("Anna has no clients left and can be deleted in your application.").waitFor();
      await audit("a transfer that succeeded");
      assertEquals(await readFigure(page, "Moved"), 60);
      assertEquals(await countClients(service.sql, [anna, ben]), [0, 60]);
      await page.goto(`${HOME}/runs`);
      await audit("the runs");
      assertStringIncludes(await page.locator("table").innerText(), "From Anna");
      await visitor.leave();
    });
  }

  async function seeEnd({ page }: Visitor, reloads: boolean): Promise<void> {
    for (; reloads && !await page.getByText("Succeeded").first().isVisible();) await page.reload();
    await waitForStatus(page, "Succeeded");
  }

  it("is followed live, paused and resumed to its end", async () => {
    await addClients(9000);
    await slowAssignments(service.sql, 2);
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/trainers/${anna}/move`);
    await pickBen(page);
    await press(page, "Preview…");
    await press(page, "Move 9,000 clients");
    await waitForProgress(page, 1);
    await visitor.audit("a transfer under way");
    await press(page, "Pause");
    await page.getByText("The run was paused.").waitFor();
    await acceptAssignments(service.sql);
    await press(page, "Resume");
    await waitForStatus(page, "Succeeded");
    assertEquals(await readFigure(page, "Moved"), 9000);
    await page.goto(HOME);
    await page.getByRole("link", { name: "Transfer" }).first().waitFor();
    await visitor.audit("the overview after a transfer");
    await visitor.leave();
  });

  it("moves those ticked, or those who meet a condition, and says who stays and why", async () => {
    await addClients(6);
    await setCapacity(service.sql, ben, 1);
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/trainers/${anna}`);
    await page.getByLabel("Move Client 1", { exact: true }).check();
    await page.getByLabel("Move Client 2", { exact: true }).check();
    await press(page, "Move those ticked…");
    assertEquals(await page.getByLabel(/takes no new clients/).isChecked(), false);
    await press(page, "Preview…");
    await page.getByText("Say to whom.").waitFor();
    await visitor.audit("a transfer's form that was refused");
    await page.getByLabel("To this trainer:").check();
    await page.getByLabel("The new trainer").fill("be");
    await press(page, "Find");
    await page.getByRole("radio", { name: /Ben/ }).check();
    await press(page, "Preview…");
    await page.getByText("1 of 2 clients would be moved, of 6 whom Anna has.").waitFor();
    await page.getByText("the new trainer has no room").waitFor();
    await visitor.audit("a preview with somebody who stays");
    await press(page, "Move 1 client");
    await waitForStatus(page, "Completed with errors");
    await page.getByText("These clients were left with Anna").waitFor();
    await visitor.audit("a transfer that left somebody");

    await putRules(service.sql, [{
      name: "Basic",
      assign: { choose: "spread", trainers: [{ trainerId: anna }, { trainerId: ben }] },
    }]);
    await setCapacity(service.sql, ben, null);
    await page.goto(`${HOME}/trainers/${anna}/move`);
    await page.getByText("Anna is named in the rule Basic of the policy.").waitFor();
    await page.getByLabel("As the policy decides").check();
    await page.getByLabel("Add a condition on").selectOption("plan");
    await page.locator("button[value=add-condition]").click();
    await page.getByLabel("basic", { exact: true }).check();
    await visitor.audit("a transfer's condition");
    await press(page, "Preview…");
    await page.getByText(/of 3 clients would be moved|of 2 clients would be moved/).waitFor();
    await press(page, "Dry run first");
    await waitForStatus(page, "Succeeded");
    await press(page, "Go on to move them…");
    await page.getByRole("heading", { name: "Move clients of Anna?" }).waitFor();
    await visitor.leave();
  });
});
