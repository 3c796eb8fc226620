import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Browser, Page } from "playwright-core";
import { getPolicy, putPolicy } from "../../src/policy/policies.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { startBrowser } from "./browser.ts";
import { addMember, HOME } from "./flows.ts";
import { type BrowserService, startService } from "./service.ts";
import { openVisitor } from "./visitor.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const NO_SCRIPT = { javaScriptEnabled: false };

describe("the policy builder", () => {
  let browser: Browser;
  let service: BrowserService;
  let anna: string;
  let ben: string;
  beforeEach(async () => {
    browser = await startBrowser();
    service = await startService({ background: false });
    const { sql } = service;
    await sql`alter table public.members add column plan text, add column profile jsonb`;
    anna = await addMember(sql, { displayName: "Anna", email: "anna@example.com" });
    ben = await addMember(sql, { displayName: "Ben", email: "ben@example.com" });
    await sql`select assignment.change_trainer(${anna}, jsonb_build_object('capacity', 30::integer, 'acceptsClients', true::boolean), 'test')`;
    await sql`
      insert into public.members (plan, profile)
      select (array['pro', 'basic'])[1 + n % 2], jsonb_build_object('language', (array['de', 'en', 'fr'])[1 + n % 3])
      from generate_series(1, 60) as n
    `;
  });
  afterEach(async () => {
    await service.stop();
    await browser.close();
  });

  const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

  async function buildRule(page: Page): Promise<void> {
    await press(page, "Add a rule");
    await page.getByLabel("Name", { exact: true }).fill("German pros");
    await page.getByLabel("Add a condition on").selectOption("plan");
    await page.locator("button[value=add-condition]").click();
    await page.getByLabel("pro", { exact: true }).check();
    await page.getByLabel("Add a condition on").selectOption("profile.language");
    await page.locator("button[value=add-condition]").click();
    await page.getByLabel("de", { exact: true }).check();
    await page.locator("textarea[name='c1.typed']").fill("de-AT");
    await page.getByLabel("Add a trainer").selectOption({ label: "Anna: room for 30 of 30" });
    await page.locator("button[value=add-trainer]").click();
    await page.getByLabel("Share of Anna").fill("2");
    await page.getByLabel("or another member").fill("Ben@example.com");
    await page.locator("button[value=add-trainer]").click();
    await page.getByLabel("Share of Ben").waitFor();
  }

  for (const [how, options] of [["without script", NO_SCRIPT], ["on a phone", PHONE]] as const) {
    it(`makes a rule from columns, values and trainers to pick, previews and saves it, ${how}`, async () => {
      const visitor = await openVisitor(browser, service.url, options);
      const audit = options === PHONE ? visitor.audit : () => Promise.resolve();
      const { page } = visitor;
      await visitor.signIn();
      await page.goto(`${HOME}/policy`);
      await audit("the policy");
      await page.getByRole("link", { name: "Change the rules" }).click();
      await buildRule(page);
      await audit("a rule's form");
      await page.getByRole("button", { name: "Done" }).click();
      const sentence =
        "If plan is pro and profile.language is one of de, de-AT: spread over Anna (2), Ben (1)";
      await page.getByText(sentence).waitFor();
      await audit("the rules");
      await press(page, "Preview and save…");
      await page.getByRole("heading", { name: "What it would do" }).waitFor();
      assertStringIncludes(await page.locator("main").innerText(), "10 of 63 would get another trainer");
      await audit("the preview");
      await page.getByLabel("Comment: why?").fill("as agreed");
      await press(page, "Save");
      await page.getByText("Version 2 of the policy is in force.").waitFor();
      await page.getByText(sentence).waitFor();
      const { policy, comment, createdBy } = await getPolicy(service.sql);
      assertEquals([comment, createdBy], ["as agreed", "office"]);
      assertEquals(policy.rules, [{
        name: "German pros",
        when: {
          all: [
            { field: "plan", op: "eq", value: "pro" },
            { field: "profile.language", op: "in", value: ["de", "de-AT"] },
          ],
        },
        assign: {
          choose: "spread",
          trainers: [{ trainerId: anna, weight: 2 }, { trainerId: ben, weight: 1 }],
          whenFull: "next",
        },
      }]);
      await page.goto(`${HOME}/policy/versions/1`);
      await audit("a former version");
      await press(page, "Put back…");
      await press(page, "Save");
      await page.getByText("Version 3 of the policy is in force.").waitFor();
      assertEquals((await getPolicy(service.sql)).comment, "Version 1 again");
      await visitor.leave();
    });
  }

  const put = (names: string[], expectedVersion?: number) =>
    putPolicy(
      service.sql,
      {
        defaultTrainerId: DEFAULT_TRAINER_ID,
        rules: names.map((name) => ({
          name,
          when: {
            all: [{ field: "plan", op: "eq", value: name }, { not: { field: "email", op: "exists" } }],
          },
          assign: { choose: "nobody" },
        })),
      },
      "colleague",
      { expectedVersion },
    );

  it("orders rules by buttons, and by dragging", async () => {
    await put(["one", "two", "three"]);
    const visitor = await openVisitor(browser, service.url);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/policy/draft`);
    const order = () => page.locator("li[data-place] h2").allInnerTexts();
    await press(page, "Up three");
    await page.getByRole("button", { name: "Down three" }).waitFor();
    assertEquals(await order(), ["one", "three", "two"]);
    await page.locator("li[data-place='2']").dragTo(page.locator("li[data-place='0']"));
    await page.getByRole("button", { name: "Down two" }).waitFor();
    assertEquals(await order(), ["two", "one", "three"]);
    await press(page, "Remove one");
    await page.locator("li[data-place='2']").waitFor({ state: "detached" });
    assertEquals(await order(), ["two", "three"]);
    await visitor.leave();
  });

  it("keeps conditions with others inside, and says what is wrong with a form", async () => {
    await put(["pro"]);
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/policy/draft`);
    await press(page, "Change pro");
    await page.getByText("not (email has a value)").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("");
    await page.getByLabel("pro", { exact: true }).uncheck();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("Give the rule a name.").waitFor();
    await page.getByText("Pick or type a value of plan.").waitFor();
    await visitor.audit("a rule that was refused");
    await page.getByLabel("Name", { exact: true }).fill("Kept");
    await page.getByLabel("basic", { exact: true }).check();
    await page.getByLabel("Name", { exact: true }).press("Enter");
    await page.getByText("If plan is basic and not (email has a value): no trainer, by intention.").waitFor();
    await visitor.leave();
  });

  it("shows both when somebody else saved meanwhile, and keeps what was typed", async () => {
    const visitor = await openVisitor(browser, service.url);
    visitor.expectInConsole(/status of 422/);
    const { page } = visitor;
    await visitor.signIn();
    await page.goto(`${HOME}/policy/draft`);
    await buildRule(page);
    await page.getByRole("button", { name: "Done" }).click();
    await press(page, "Preview and save…");
    await page.getByLabel("Comment: why?").fill("as agreed");
    await put(["basic"]);
    await press(page, "Save");
    await page.getByRole("heading", { name: "Somebody else saved meanwhile" }).waitFor();
    await page.getByText("colleague has saved version 2.").waitFor();
    const text = await page.locator("main").innerText();
    for (const shown of ["If plan is basic", "If plan is pro", "German pros"]) {
      assertStringIncludes(text, shown);
    }
    assertEquals(await page.getByLabel("Comment: why?").inputValue(), "as agreed");
    await visitor.audit("a conflict");
    assertEquals((await getPolicy(service.sql)).version, 2);
    await press(page, "Save mine instead of version 2");
    await page.getByText("Version 3 of the policy is in force.").waitFor();
    await visitor.leave();
  });

  it("asks what becomes of those who have a trainer when the default trainer changes", async () => {
    const visitor = await openVisitor(browser, service.url, NO_SCRIPT);
    const { page } = visitor;
    await visitor.signIn();
    const change = async (name: string, answer: RegExp) => {
      await page.goto(`${HOME}/policy`);
      await page.getByRole("link", { name: "Change the default trainer" }).click();
      await page.getByLabel("or another member").fill(`${name}@example.com`);
      await press(page, "Review the change");
      await page.getByLabel(answer).check();
      await press(page, "Change the default trainer");
    };
    const runs = async () => (await service.sql`select from assignment.backfill_runs`).length;
    await change("anna", /They keep them/);
    await page.getByText("The default trainer was changed. Nobody was moved.").waitFor();
    const kept = await getPolicy(service.sql);
    assertEquals([kept.policy.defaultTrainerId, kept.policy.respectsOtherTrainers], [anna, true]);
    assertEquals(await runs(), 0);
    await change("ben", /They get the trainer of the policy as well/);
    await page.getByText("Version 3 of the policy is in force, and a run gives everybody their trainer.")
      .waitFor();
    const added = await getPolicy(service.sql);
    assertEquals([added.policy.defaultTrainerId, added.policy.respectsOtherTrainers], [ben, false]);
    assertEquals(await runs(), 1);
    await visitor.leave();
  });
});
