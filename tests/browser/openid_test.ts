import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { findFreePort } from "../../src/database/embedded/postgres_server.ts";
import { listAuditLines } from "../../src/history/audit_lines.ts";
import { addUnseenMembers } from "../support/members.ts";
import { startBrowser } from "./browser.ts";
import { HOME, startRun, waitForStatus } from "./flows.ts";
import { type OpenIdProvider, startOpenIdProvider } from "../support/openid_provider.ts";
import { type BrowserService, startService } from "./service.ts";
import { openVisitor, type Visitor } from "./visitor.ts";

describe("signing in through an OpenID Connect provider", () => {
  let browser: Browser;
  let provider: OpenIdProvider;
  let service: BrowserService;
  beforeAll(async () => {
    browser = await startBrowser();
    const port = findFreePort();
    provider = await startOpenIdProvider(`http://127.0.0.1:${port}`);
    service = await startService({ port, openId: provider.config });
  });
  afterAll(async () => {
    await service.stop();
    await provider.stop();
    await browser.close();
  });

  async function visit(): Promise<Visitor> {
    const visitor = await openVisitor(browser, service.url);
    visitor.allowSite(provider.url);
    return visitor;
  }

  /** What the audit log has of somebody's sign-ins. */
  async function accessOf(actor: string) {
    const lines = await listAuditLines(service.sql, { actor }, { limit: 10 });
    return lines.filter(({ action }) => /^(session|access)/.test(action))
      .map(({ action, after }) => ({ action, after }));
  }

  async function signInAs({ page }: Visitor, name: string): Promise<void> {
    await page.goto(`${HOME}/runs`);
    await page.getByRole("link", { name: `Sign in with ${new URL(provider.url).host}` }).click();
    await page.locator("[name=login]").fill(name);
    await page.locator("[name=password]").fill("anything");
    await page.locator("button[type=submit]").click();
    await page.locator("button[type=submit]").click(); // consent
  }

  it("lets in admins by their role claim, under their e-mail, and leads to the requested page", async () => {
    await addUnseenMembers(service.sql, 10);
    const visitor = await visit();
    const { page } = visitor;
    await page.goto("/admin/login");
    await visitor.audit("sign-in with a provider");
    await signInAs(visitor, "ada");
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    assertEquals(page.url(), `${service.url}${HOME}/runs`);
    await page.getByRole("link", { name: "Overview" }).click();
    await startRun(page);
    await waitForStatus(page, "Succeeded");
    const [run] = await service.sql<
      [{ requestedBy: string }]
    >`select requested_by from assignment.backfill_runs`;
    assertEquals(run.requestedBy, "oidc:ada@staff.example");
    assertEquals(await accessOf("oidc:ada@staff.example"), [
      { action: "session.started", after: { role: "admin", by: "openid" } },
    ]);
    await page.reload();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await visitor.leave();
  });

  it("lets in viewers, who find nothing to change", async () => {
    const visitor = await visit();
    const { page } = visitor;
    await signInAs(visitor, "vi");
    await page.getByText("You are signed in as a viewer").waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Backfill", exact: true }).waitFor();
    assertEquals(await page.getByRole("button", { name: "Run Trainer Assignment Backfill" }).count(), 0);
    await visitor.leave();
  });

  it("tells others that they may not open the page", async () => {
    const visitor = await visit();
    visitor.expectInConsole(/status of 403/);
    await signInAs(visitor, "bo");
    await visitor.page.getByRole("heading", { name: "You may not open this page" }).waitFor();
    await visitor.audit("no admin at the provider");
    assertEquals(await accessOf("oidc:bo@staff.example"), [
      {
        action: "access.refused",
        after: { method: "GET", route: "/admin/openid/callback", needed: "viewer", held: null },
      },
    ]);
    await visitor.page.goto(HOME);
    await visitor.page.getByLabel("Token", { exact: true }).waitFor();
    await visitor.leave();
  });

  it("accepts roles in one string with spaces", async () => {
    const visitor = await visit();
    await signInAs(visitor, "di");
    await visitor.page.getByText("oidc:di@staff.example", { exact: true }).waitFor();
    await visitor.leave();
  });

  it("does not use an unverified e-mail as a name", async () => {
    const visitor = await visit();
    await signInAs(visitor, "cy");
    await visitor.page.getByText("oidc:cy", { exact: true }).waitFor();
    await visitor.leave();
  });

  it("refuses an answer to another browser's sign-in, a second use, and a changed state", async () => {
    const begun = await fetch(`${service.url}/admin/openid`, { redirect: "manual" });
    const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
    await begun.body?.cancel();
    const asked = new URL(begun.headers.get("location") ?? "");
    assertEquals(asked.searchParams.get("code_challenge_method"), "S256");
    const state = asked.searchParams.get("state") ?? "";
    const attempts = [
      { query: `code=x&state=${state}`, headers: {}, says: "This sign-in took too long" },
      {
        query: `code=x&state=${state}`,
        headers: { cookie: cookie.slice(0, -9) + "another_1" },
        says: "This sign-in took too long",
      },
      { query: "code=x&state=another", headers: { cookie }, says: "You were not signed in" },
      {
        query: `code=x&state=${state}&iss=${provider.url}`,
        headers: { cookie },
        says: "You were not signed in",
      },
      { query: `error=access_denied&state=${state}`, headers: { cookie }, says: "You were not signed in" },
    ];
    for (const { query, headers, says } of attempts) {
      const response = await fetch(`${service.url}/admin/openid/callback?${query}`, {
        headers,
        redirect: "manual",
      });
      assertStringIncludes(await response.text(), says);
      assertEquals(response.status, 400);
      assertEquals((response.headers.get("set-cookie") ?? "").includes("trainer_assignment_session"), false);
    }
  });

  it("says so when the provider is away, and leaves the token as a way in", async () => {
    const lonely = await startService({
      sql: service.sql,
      background: false,
      openId: { ...provider.config, issuer: `http://localhost:${findFreePort()}` },
    });
    const visitor = await openVisitor(browser, lonely.url);
    visitor.expectInConsole(/status of 502/);
    await visitor.page.goto("/admin/openid");
    await visitor.page.getByRole("heading", { name: "The sign-in service does not answer" }).waitFor();
    await visitor.audit("the provider is away");
    await visitor.signIn();
    await visitor.leave();
    await lonely.stop();
  });
});
