import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ownedDatabase } from "../support/owned_database.ts";
import { waitUntil } from "../support/wait_until.ts";
import { startBrowser } from "./browser.ts";
import { HOME } from "./flows.ts";
import { startService } from "./service.ts";
import { openVisitor } from "./visitor.ts";

describe("the admin page, when row-level security hides rows", () => {
  it("shows no wrong answer, leads to Health, which says what to run, and goes on after that", async () => {
    const browser = await startBrowser();
    const database = await ownedDatabase({ withService: true });
    const service = await startService({ sql: database.newService(), background: false });
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 503/);
    const { page } = visitor;
    await visitor.signIn();
    await database.owner`alter table public.trainer_client_assignments enable row level security`;
    await database.owner`drop policy service_reads on public.trainer_client_assignments`;

    for (const path of ["", "/runs", "/members", "/failures"]) {
      await waitUntil(`${path} is refused`, async () => (await page.goto(HOME + path))?.status() === 503);
      await page.getByRole("heading", { name: "Row-level security hides rows from the service" }).waitFor();
      assertEquals(await page.locator(".figure").count(), 0);
    }
    await visitor.audit("hidden rows");
    await page.getByRole("link", { name: "Go to Health" }).click();
    await page.getByRole("heading", { name: "The service is working, but something needs attention." })
      .waitFor();
    await page.getByText(/trainer_client_assignments.*grant_service/).waitFor();
    await visitor.audit("Health, when rows are hidden");

    await database.owner`select assignment.grant_service(${database.serviceName})`;
    await waitUntil("the page is back", async () => (await page.goto(HOME))?.status() === 200);
    await visitor.leave();
    await service.stop();
    await database.drop();
    await browser.close();
  });
});
