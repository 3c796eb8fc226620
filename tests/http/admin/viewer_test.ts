import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID, endAssignment } from "../../../src/trainer_assignment.ts";
import { pauseRun, startBackfill, startTransfer } from "../../../src/runs/runs.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { sendTest } from "../../../src/webhooks/deliveries.ts";
import { changeEndpoint, createEndpoint } from "../../../src/webhooks/endpoints.ts";
import { addressMessages, recordDeliveries } from "../../../src/webhooks/queue.ts";
import { newId } from "../../support/assignments.ts";
import { driveToEnd, runBackfill } from "../../support/backfills.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../../support/members.ts";
import { putRules, setCapacity } from "../../support/policies.ts";
import { get, HOME, post, signIn } from "../admin_page.ts";
import { type Crawl, crawlPages, kindOf } from "../crawl.ts";
import { addMembers, type TestService, testService } from "../test_service.ts";

const SIGN_OUT = "/admin/logout";
const NOTE = "You are signed in as a viewer: you can look at everything, and change nothing.";

const PAGES = [
  HOME,
  `${HOME}/failures`,
  `${HOME}/health`,
  `${HOME}/history`,
  `${HOME}/members`,
  `${HOME}/policy`,
  `${HOME}/policy/versions/:version`,
  `${HOME}/runs`,
  `${HOME}/runs/:id`,
  `${HOME}/trainers`,
  `${HOME}/trainers/:id`,
  `${HOME}/webhooks`,
  `${HOME}/webhooks/:id`,
  `${HOME}/webhooks/:id/messages/:id`,
];
/** Pages that only prepare a change. */
const PREPARATIONS = [`${HOME}/default-trainer`, `${HOME}/policy/draft`, `${HOME}/trainers/:id/move`];
const CHANGES = [
  `${HOME}/default-trainer`,
  `${HOME}/failures/retry`,
  `${HOME}/members/:id/assign`,
  `${HOME}/members/:id/end`,
  `${HOME}/policy/draft`,
  `${HOME}/runs`,
  `${HOME}/runs/:id/cancel`,
  `${HOME}/runs/:id/resume`,
  `${HOME}/runs/:id/retry`,
  `${HOME}/trainers/:id/move`,
  `${HOME}/trainers/:id/settings`,
  `${HOME}/trainers/:id/transfers`,
  `${HOME}/webhooks`,
  `${HOME}/webhooks/:id/change`,
  `${HOME}/webhooks/:id/delete`,
  `${HOME}/webhooks/:id/disable`,
  `${HOME}/webhooks/:id/enable`,
  `${HOME}/webhooks/:id/messages/:id/redeliver`,
  `${HOME}/webhooks/:id/redeliver`,
  `${HOME}/webhooks/:id/secret`,
  `${HOME}/webhooks/:id/test`,
];

/** One that is disabled; one with a message that waits and one that was given up; one for consumers who fetch. */
async function addWebhooks(sql: Sql): Promise<void> {
  const url = { url: "https://crm.example.com/hooks/hidden?token=hidden", secret: "sealed" };
  const types = ["run.ended" as const];
  const { id } = await createEndpoint(sql, { id: newId(), ...url, types }, "test");
  const { id: disabled } = await createEndpoint(sql, { id: newId(), ...url, types }, "test");
  await changeEndpoint(sql, disabled, { enabled: false }, "test");
  await createEndpoint(sql, { id: newId(), types }, "test");
  const [failed] = [await sendTest(sql, id, "test"), await sendTest(sql, id, "test")];
  await addressMessages(sql);
  await recordDeliveries(sql, id, [{ messageId: failed, outcome: "failed", status: 500, answer: "oh" }]);
}

describe("a viewer on the admin page", () => {
  let fresh: TestService;
  let service: TestService;
  let cookie: string;
  let crawl: Crawl;
  let crawlOfAdmin: Crawl;
  beforeAll(async () => {
    fresh = await testService();
    await addUnseenMembers(fresh.sql, 1);
    service = await testService();
    const { sql } = service;
    await addUnseenMembers(sql, 3);
    const [member = "", other = ""] = await addMembers(sql, 2);
    await endAssignment(sql, DEFAULT_TRAINER_ID, other);
    await refuseAssignments(sql, "true");
    await addMembers(sql, 1);
    await runBackfill(sql); // with failed members
    await acceptAssignments(sql);
    await pauseRun(sql, (await startBackfill(sql, { requestedBy: "test", trainerId: member })).id, "test");
    await putRules(sql, [{ name: "Nobody yet", assign: { choose: "nobody" } }]);
    await putRules(sql, []);
    await setCapacity(sql, DEFAULT_TRAINER_ID, 1);
    const request = { fromTrainerId: DEFAULT_TRAINER_ID, trainerId: other, dryRun: true };
    await driveToEnd(sql, await startTransfer(sql, { ...request, requestedBy: "test" }));
    await addWebhooks(sql);
    cookie = await signIn(service, "viewer");
    crawl = await crawlPages(service, cookie, member);
    crawlOfAdmin = await crawlPages(service, await signIn(service), member);
  });
  afterAll(async () => {
    await fresh.stop();
    await service.stop();
  });

  const kindsOf = (paths: Iterable<string>) => [...new Set([...paths].map(kindOf))].sort();

  it("reaches every page but those that prepare a change, by links that all lead somewhere", () => {
    assertEquals(crawl.refused, []);
    assertEquals(kindsOf(crawl.pages.keys()), PAGES);
    assertEquals(crawlOfAdmin.refused, []);
    assertEquals(kindsOf(crawlOfAdmin.pages.keys()), [...PAGES, ...PREPARATIONS].sort());
  });

  it("finds no form to send but the sign-out, and no button outside of a form", async () => {
    const before = await crawlPages(fresh, await signIn(fresh, "viewer"), DEFAULT_TRAINER_ID);
    for (const { pages, refused, forms } of [crawl, before]) {
      assertEquals(refused, []);
      assertEquals(forms.map(({ action }) => action), [SIGN_OUT]);
      for (const [path, text] of pages) {
        assertEquals([path, /<button/.test(text.replaceAll(/<form [^]*?<\/form>/g, ""))], [path, false]);
      }
    }
  });

  it("is refused by every form that an admin finds", async () => {
    const changes = crawlOfAdmin.forms.filter(({ action }) => action !== SIGN_OUT);
    assertEquals(changes.map(({ action }) => kindOf(action)).sort(), CHANGES);
    const sent = [...changes, { action: `${HOME}/policy`, fields: {} }, {
      action: `${HOME}/policy/draft/rule`,
      fields: {},
    }];
    for (const { action, fields } of sent) {
      const response = await post(service, action, cookie, fields);
      assertEquals([action, response.status], [action, 403]);
      assertStringIncludes(await response.text(), "Only an admin can do this");
    }
    assertEquals(service.logged.filter(({ actor }) => actor === "board"), []);
  });

  it("is told of it once, on every page", () => {
    for (const [path, text] of crawl.pages) assertEquals([path, text.split(NOTE).length], [path, 2]);
    for (const text of crawlOfAdmin.pages.values()) assert(!text.includes("as a viewer"));
  });

  it("gets a page that says so for the address of a page that prepares a change", async () => {
    for (const kind of [...PREPARATIONS, `${HOME}/policy/draft/rule`]) {
      const path = kind.replace(":id", DEFAULT_TRAINER_ID);
      const response = await get(service, path, cookie);
      const text = await response.text();
      assertEquals([path, response.status], [path, 403]);
      assertStringIncludes(text, "Only an admin can do this");
      assertStringIncludes(text, `<a class="button primary" href="${HOME}">Go to the overview</a>`);
    }
  });

  it("sees of a webhook's URL its origin alone, whose path and query may be secrets", () => {
    const pages = [...crawl.pages.values()].join();
    assertStringIncludes(pages, "https://crm.example.com/…");
    assertEquals(pages.includes("hidden?token"), false);
    assertStringIncludes(
      [...crawlOfAdmin.pages.values()].join(),
      "crm.example.com/hooks/hidden?token=hidden",
    );
    const histories = [...crawlOfAdmin.pages].filter(([path]) => path.startsWith(`${HOME}/history`));
    assertStringIncludes(histories.join(), "https://crm.example.com/…");
    assertEquals(histories.join().includes("hidden?token"), false);
  });

  it("reads over HTTP with the page's cookie, and changes nothing with it", async () => {
    assertEquals((await get(service, "/v1/policy", cookie)).status, 200);
    assertEquals((await post(service, "/v1/failures/retry", cookie)).status, 403);
  });
});
