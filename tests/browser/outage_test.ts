import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { hash } from "node:crypto";
import type { Browser } from "playwright-core";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { findFreePort } from "../../src/database/embedded/postgres_server.ts";
import { testDatabase } from "../support/databases.ts";
import { addUnseenMembers } from "../support/members.ts";
import { projectItself } from "../support/project.ts";
import { startTestServer } from "../support/servers.ts";
import { startBrowser } from "./browser.ts";
import { assertFiguresAreTrue, HOME, startRun, waitForProgress, waitForStatus } from "./flows.ts";
import { startService, TOKENS } from "./service.ts";
import { openVisitor } from "./visitor.ts";

const SLOW = { batchRows: 150 };
const GONE = /net::ERR_|status of 503/;

describe("the admin page, when something is away", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  it("follows a run by itself through a crash and restart of the service", async () => {
    const database = await testDatabase();
    await addUnseenMembers(database.sql, 20_000);
    const port = findFreePort();
    const start = async () => {
      const task = projectItself().spawn("start", {
        DATABASE_URL: database.url,
        PORT: String(port),
        ADMIN_TOKENS: `office=${hash("sha256", TOKENS.admin)}`,
        BACKFILL_REST_RATIO: "3",
      });
      await task.line(/listening/);
      return task;
    };
    const first = await start();
    const visitor = await openVisitor(browser, `http://127.0.0.1:${port}`);
    visitor.expectInConsole(GONE);
    const { page } = visitor;
    await visitor.signIn();
    await startRun(page, SLOW);
    await waitForProgress(page, 300);
    first.kill("SIGKILL");
    await first.ended;

    await page.getByText(/Connection lost since [\d:]+ UTC. The page shows the state of [\d:]+ UTC./)
      .waitFor();
    assertEquals(await page.getByRole("progressbar").isVisible(), true);
    await visitor.audit("a lost connection");

    const second = await start();
    await page.locator("#connection").waitFor({ state: "hidden" });
    await waitForStatus(page, "Succeeded");
    await assertFiguresAreTrue(page, database.sql);
    await visitor.leave();
    second.kill("SIGTERM");
    await second.ended;
    await database.drop();
  });

  it("keeps its content while the network is away, and continues when it is back", async () => {
    const service = await startService({ restRatio: 3 });
    await addUnseenMembers(service.sql, 20_000);
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(GONE);
    const { page } = visitor;
    await visitor.signIn();
    await startRun(page, SLOW);
    await waitForProgress(page, 300);
    await page.context().setOffline(true);
    await page.getByText(/Connection lost since/).waitFor();
    const kept = Number(await page.getByRole("progressbar").getAttribute("value"));
    await page.context().setOffline(false);
    await waitForProgress(page, kept + 1);
    await page.locator("#connection").waitFor({ state: "hidden" });
    await waitForStatus(page, "Succeeded");
    await visitor.leave();
    await service.stop();
  });

  it("says since when the database is away and how old its figures are, in the open page and after a reload", async () => {
    const server = await startTestServer();
    await migrateUp(server.url);
    const sql = openDatabase(server.url, { max: 5, applicationName: "test" });
    await sql`insert into public.members (id) select default_trainer_id from assignment.settings`;
    await addUnseenMembers(sql, 7);
    const service = await startService({ sql, background: false });
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(GONE);
    const { page } = visitor;
    await visitor.signIn();
    await page.getByRole("heading", { name: "7 of 8 members have no trainer." }).waitFor();

    await server.stop();
    const away =
      /The database has not answered since [\d: -]+ UTC\. The page shows the state of [\d: -]+ UTC\./;
    await page.getByText(away).waitFor();
    await visitor.audit("the database is away");
    const reloaded = await page.reload();
    assertEquals(reloaded?.status(), 503);
    assertMatch(await page.locator("#connection").innerText(), away);
    await page.getByRole("heading", { name: "7 of 8 members have no trainer." }).waitFor();
    await page.goto(`${HOME}/runs`);
    await page.getByRole("heading", { name: "The database does not answer" }).waitFor();
    await visitor.audit("a page without the database");
    assertStringIncludes(await page.locator("main").innerText(), "This page continues by itself");

    await server.start();
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    await visitor.leave();
    await service.stop();
    await closeDatabase(sql, 1);
    await server.remove();
  });
});
