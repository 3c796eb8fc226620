import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { startBrowser } from "./browser.ts";
import { waitForStatus } from "./flows.ts";
import { type BrowserService, startService } from "./service.ts";
import { openVisitor } from "./visitor.ts";

const FOLDER = new URL("../../screenshots/", import.meta.url);
const SIZES = {
  desktop: { width: 1200, height: 900 },
  phone: { width: 360, height: 740 },
};

describe("screenshots", () => {
  let browser: Browser;
  let service: BrowserService;
  beforeAll(async () => {
    await Deno.mkdir(FOLDER, { recursive: true });
    browser = await startBrowser();
    service = await startService({ restRatio: 8 });
    await service.sql`update public.members set display_name = 'First trainer'`;
    await addUnseenMembers(service.sql, 20_000);
    await refuseAssignments(service.sql, "new.client_id::text like '%00'");
    await service
      .sql`insert into public.members (id, email, display_name) values ('0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a', 'member@example.com', 'New member')`;
    await service.sql`insert into public.members (id) values ('0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b00')`;
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });

  it("show the main states, light and dark, on a desk and on a phone", async () => {
    const visitor = await openVisitor(browser, service.url, { viewport: SIZES.desktop });
    const { page } = visitor;
    const shoot = async (name: string) => {
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          await page.screenshot({
            path: new URL(`${name}_${size}_${colorScheme}.png`, FOLDER).pathname,
            fullPage: true,
          });
        }
      }
      await page.setViewportSize(SIZES.desktop);
    };
    await page.goto("/admin/login");
    await shoot("sign_in");
    await visitor.signIn();
    await shoot("before");
    await page.getByText("Options").click();
    await page.getByLabel("Rows per batch").fill("200");
    await page.getByRole("button", { name: "Run Trainer Assignment Backfill" }).click();
    await page.getByText(/about .* left/).waitFor();
    await shoot("running");
    await page.emulateMedia({ colorScheme: "light" });
    await page.reload(); // without the notice
    await waitForStatus(page, "Running");
    await page.screenshot({
      path: new URL("readme.png", FOLDER).pathname,
      clip: { x: 0, y: 0, width: 1200, height: 1000 },
      fullPage: true,
    });
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();
    await shoot("paused");
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Completed with errors").first().waitFor({ timeout: 60_000 });
    await shoot("ended");
    await page.getByRole("link", { name: "Backfill" }).first().click();
    await shoot("run");
    await page.getByRole("link", { name: "Members" }).click();
    await page.getByLabel("A member's name, e-mail or id").fill("member@example.com");
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByRole("heading", { name: "New member" }).waitFor();
    await shoot("member");
    await page.getByRole("link", { name: "First trainer" }).first().click();
    await shoot("trainer");
    await page.getByRole("link", { name: "Waiting" }).click();
    await shoot("failures");
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByText("Change…").click();
    await page.getByLabel("The new default trainer").fill("0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a");
    await page.getByRole("button", { name: "Review the change" }).click();
    await page.getByRole("heading", { name: "Change the default trainer?" }).waitFor();
    await shoot("default_trainer");
    visitor.expectInConsole(/404/);
    await page.goto("/admin/nothing");
    await shoot("not_found");
    await visitor.leave();
  });
});
