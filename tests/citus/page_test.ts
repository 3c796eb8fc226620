/** The admin page on a cluster: every page that its links and forms lead to. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { HOME, post, signIn } from "../http/admin_page.ts";
import { crawlPages, findForms } from "../http/crawl.ts";
import { addMembers, type TestService, testService } from "../http/test_service.ts";
import { runBackfill } from "../support/backfills.ts";
import { among, putRules } from "../support/policies.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";

describe("the admin page on a cluster", () => {
  let database: CitusDatabase;
  let service: TestService;
  let member: string;
  beforeAll(async () => {
    database = await citusDatabase();
    service = await testService({ sql: await database.newServicePool() }, database);
    const [first = "", second = ""] = await addMembers(database.sql, 20);
    member = first;
    await putRules(database.sql, [{ name: "all", assign: among("spread", [second]) }]);
    await runBackfill(database.sql);
  });
  afterAll(() => service?.stop());

  it("has no page that cannot be shown", async () => {
    const { pages, refused } = await crawlPages(service, await signIn(service), member);
    const unknown = refused.filter((each) => !/: 404$/.test(each));
    assertEquals(unknown, []);
    assert(pages.size > 20, `${pages.size} pages`);
  });

  it("starts a run, and limits a trainer's clients", async () => {
    const cookie = await signIn(service);
    const started = await post(service, `${HOME}/runs`, cookie);
    assertEquals(started.status, 303);
    const path = `${HOME}/trainers/${DEFAULT_TRAINER_ID}`;
    const page = await service.app.request(path, { headers: { cookie } });
    const [form] = findForms(await page.text()).filter(({ fields }) => "capacity" in fields);
    assert(form !== undefined);
    const answer = await post(service, form.action, cookie, { ...form.fields, capacity: "50" });
    assertEquals(answer.status, 303);
    const limited = await (await service.app.request(path, { headers: { cookie } })).text();
    assert(limited.includes('value="50"'), limited);
  });
});
