import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { startBrowser } from "./browser.ts";
import { HOME } from "./flows.ts";
import { allTokens, type BrowserService, startService, TOKENS } from "./service.ts";
import { openVisitor } from "./visitor.ts";

describe("signing in to the admin page", () => {
  let browser: Browser;
  let service: BrowserService;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    service = await startService({ background: false });
  });
  afterEach(() => service.stop());

  it("accepts an admin token, leads to the requested page, and signs out again", async () => {
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await page.goto(`${HOME}/runs`);
    assertEquals(new URL(page.url()).pathname, "/admin/login");
    await visitor.audit("sign-in");
    await page.getByLabel("Token", { exact: true }).fill(TOKENS.admin);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();

    const [cookie] = await page.context().cookies();
    assertEquals({ httpOnly: cookie?.httpOnly, sameSite: cookie?.sameSite, path: cookie?.path }, {
      httpOnly: true,
      sameSite: "Strict",
      path: "/",
    });
    const hours = ((cookie?.expires ?? 0) - Date.now() / 1000) / 3600;
    assertEquals(Math.round(hours), 8);

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await page.goto(HOME);
    await page.getByLabel("Token", { exact: true }).waitFor();
    await visitor.leave();
  });

  it("accepts the printed link, and removes its token from the address bar and the history", async () => {
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    const addresses: string[] = [];
    page.on("framenavigated", (frame) => addresses.push(frame.url()));
    await page.goto(`/admin/login#token=${TOKENS.admin}`);
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    assertEquals(addresses.at(-1), service.url + HOME);
    await page.goBack().catch(() => null);
    assertEquals(page.url().includes("token"), false);
    await visitor.leave();
  });

  it("says that a token is wrong, keeps it secret, and slows down after five tries", async () => {
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 4(01|29)/);
    const { page } = visitor;
    await page.goto("/admin/login");
    for (let tries = 0; tries < 5; tries++) {
      await page.getByLabel("Token", { exact: true }).fill(`wrong-token-${tries}`);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("This token is not configured.").waitFor();
      assertEquals((await page.content()).includes("wrong-token"), false);
    }
    await visitor.audit("a wrong token");
    await page.getByLabel("Token", { exact: true }).fill(TOKENS.admin);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(/Too many tries from your address. Try again in \d+ seconds./).waitFor();
    await visitor.audit("too many tries");
    await visitor.leave();
  });

  it("refuses a service token, and says why", async () => {
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 403/);
    const { page } = visitor;
    await page.goto("/admin/login");
    await page.getByLabel("Token", { exact: true }).fill(TOKENS.service);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The token orders belongs to a service.").waitFor();
    await visitor.audit("a service token");
    assertEquals((await page.context().cookies()).length, 0);
    await visitor.leave();
  });

  it("ends in the open page when the token is removed, and answers 403 when it is no longer an admin's", async () => {
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 403/);
    const { page } = visitor;
    await visitor.signIn();
    const [office, ...others] = allTokens();
    const removed = await startService({ background: false, sql: service.sql, tokens: others });
    const demoted = await startService({
      background: false,
      sql: service.sql,
      tokens: office === undefined ? [] : [{ ...office, role: "service" }],
    });
    // Another replica, to which the configuration has come already; a cookie is not bound to a port.
    await page.route(`${service.url}${HOME}`, async (route) => {
      const headers = await route.request().allHeaders();
      const response = await fetch(removed.url + HOME, {
        headers: { cookie: headers.cookie ?? "" },
        redirect: "manual",
      });
      await route.fulfill({
        status: response.status,
        headers: { location: response.headers.get("location") ?? "" },
      });
      await response.body?.cancel();
    });
    await page.getByRole("link", { name: "Sign in again" }).waitFor();
    await visitor.audit("a session that has ended");

    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const response = await fetch(demoted.url + HOME, { headers: { cookie } });
    assertEquals(response.status, 403);
    assertStringIncludes(await response.text(), "You may not open this page");
    await removed.stop();
    await demoted.stop();
    await visitor.leave();
  });

  it("leads only to our own pages", async () => {
    for (
      const next of [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/admin/login",
        "javascript:alert(1)",
      ]
    ) {
      const body = new URLSearchParams({ token: TOKENS.admin, next });
      const response = await post("/admin/login", body, { "sec-fetch-site": "same-origin" });
      assertEquals({ next, location: response.headers.get("location") }, { next, location: HOME });
    }
  });

  it("refuses what another site has a browser send, forms and JSON", async () => {
    const body = new URLSearchParams({ token: TOKENS.admin });
    const signedIn = await post("/admin/login", body, { "sec-fetch-site": "same-origin" });
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    assertMatch(cookie, /^trainer_assignment_session=/);

    const json = { "content-type": "application/json", cookie };
    const attempts: [string, BodyInit, Record<string, string>][] = [
      [`${HOME}/runs`, new URLSearchParams(), { cookie, "sec-fetch-site": "cross-site" }],
      [`${HOME}/runs`, new URLSearchParams(), { cookie, "sec-fetch-site": "same-site" }],
      [`${HOME}/runs`, new URLSearchParams(), { cookie, origin: "http://evil.example" }],
      [`${HOME}/runs`, new URLSearchParams(), { cookie, origin: "null" }],
      [`${HOME}/runs`, new URLSearchParams(), { cookie }],
      ["/v1/backfills", "{}", { ...json, "sec-fetch-site": "cross-site" }],
      ["/v1/backfills", "{}", { ...json, origin: "http://evil.example" }],
      ["/v1/backfills", "{}", json],
      ["/admin/login", new URLSearchParams({ token: TOKENS.admin }), { origin: "http://evil.example" }],
    ];
    for (const [path, attempt, headers] of attempts) {
      const response = await post(path, attempt, headers);
      assertEquals({ path, headers, status: response.status }, { path, headers, status: 403 });
    }
    assertEquals((await service.sql`select from assignment.backfill_runs`).length, 0);

    const own = await post("/v1/backfills", "{}", { ...json, origin: service.url });
    assertEquals(own.status, 202);
    assertEquals((await own.json()).requestedBy, "office");
  });

  it("refuses a cookie that was altered", async () => {
    const body = new URLSearchParams({ token: TOKENS.admin });
    const signedIn = await post("/admin/login", body, { "sec-fetch-site": "same-origin" });
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    const altered = cookie.slice(0, -9) + "another_1";
    for (
      const [value, status] of [[cookie, 200], [altered, 401], ["trainer_assignment_session=", 401]] as const
    ) {
      const response = await fetch(`${service.url}/v1/policy`, { headers: { cookie: value } });
      assertEquals(response.status, status);
      await response.body?.cancel();
    }
  });

  it("stays signed in when following a link from another site", async () => {
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    const elsewhere = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () =>
        new Response(`<a href="${service.url}${HOME}/runs">the runs</a>`, {
          headers: { "content-type": "text/html" },
        }),
    );
    // The same machine by another name is another site.
    const site = `http://localhost:${elsewhere.addr.port}`;
    visitor.allowSite(site);
    await page.goto(`${site}/`);
    await page.getByRole("link", { name: "the runs" }).click();
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    await elsewhere.shutdown();
    await visitor.leave();
  });

  async function post(path: string, body: BodyInit, headers: Record<string, string>): Promise<Response> {
    const response = await fetch(service.url + path, { method: "POST", body, headers, redirect: "manual" });
    const text = await response.text();
    return new Response(text === "" ? null : text, { status: response.status, headers: response.headers });
  }
});
