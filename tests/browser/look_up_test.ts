import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser } from "playwright-core";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import {
  acceptAssignments,
  addUnseenMembers,
  refuseAssignments,
  withoutTrigger,
} from "../support/members.ts";
import { startBrowser } from "./browser.ts";
import { addMember, HOME, readFigure, startRun, waitForStatus } from "./flows.ts";
import { type BrowserService, startService } from "./service.ts";
import { openVisitor, type Visitor } from "./visitor.ts";

const HOSTILE =
  `<script>document.title = "owned"</script>"'><img src=x onerror=alert(1)> \u202egnitirw\u202c & &amp; `;
const LONG = "x".repeat(10_000);

describe("looking members and trainers up", () => {
  let browser: Browser;
  let service: BrowserService;
  let visitor: Visitor;
  beforeAll(async () => {
    browser = await startBrowser();
    service = await startService();
    await service.sql`update public.members set display_name = 'First trainer'`;
    visitor = await openVisitor(browser, service.url);
    await visitor.signIn();
  });
  afterAll(async () => {
    await visitor.leave();
    await service.stop();
    await browser.close();
  });

  async function lookUp(query: string): Promise<void> {
    await visitor.page.goto(`${HOME}/members`);
    await visitor.page.getByLabel("A member's name, e-mail or id").fill(query);
    await visitor.page.getByRole("button", { name: "Find" }).click();
  }

  it("finds a member by id and by e-mail, and shows to whom, since when and how they are assigned", async () => {
    const { page } = visitor;
    const id = await addMember(service.sql, { email: "Member@Example.com", displayName: "New member" });
    for (
      const query of [
        id,
        id.toUpperCase(),
        `{${id.replaceAll("-", "")}}`,
        "Member@Example.com",
        " member@example.com ",
      ]
    ) {
      await lookUp(query);
      await page.getByRole("heading", { name: "New member Assigned" }).waitFor();
    }
    const text = await page.locator(".assignment").innerText();
    assertStringIncludes(text, "To First trainer");
    assertStringIncludes(text, "automatically, at sign-up");
    await visitor.audit("a member who is assigned");
  });

  it("ends an assignment, keeps it as history, and assigns again by hand", async () => {
    const { page } = visitor;
    const id = await addMember(service.sql, { displayName: "A member to end" });
    await lookUp(id);
    await page.getByText("End…").click();
    await visitor.audit("asking whether to end");
    await page.getByRole("button", { name: "End the assignment" }).click();
    await page.getByText("The assignment has ended.").waitFor();
    await page.getByRole("heading", { name: "A member to end Not assigned" }).waitFor();
    await visitor.audit("a member who is not assigned");

    await page.getByLabel("Notes (optional)").fill("asked for it");
    await page.getByRole("button", { name: "Assign now" }).click();
    await page.getByText("The member is assigned.").waitFor();
    assertEquals(await page.getByRole("region", { name: "List: History" }).getByRole("row").count(), 4);
    const rows = await service.sql`
      select status, source, notes from public.trainer_client_assignments where client_id = ${id} order by id
    `;
    assertEquals([...rows], [
      { status: "inactive", source: "trigger", notes: null },
      { status: "active", source: "manual", notes: "asked for it" },
    ]);
  });

  it("links a member that a backfill assigned to the run", async () => {
    const { page } = visitor;
    await addUnseenMembers(service.sql, 1);
    await page.goto(HOME);
    await startRun(page);
    await waitForStatus(page, "Succeeded");
    const [row] = await service.sql<[{ clientId: string }]>`
      select client_id from public.trainer_client_assignments where source = 'backfill'
    `;
    await lookUp(row.clientId);
    await page.getByRole("link", { name: "by a backfill run" }).first().click();
    await page.getByRole("heading", { name: "Backfill" }).first().waitFor();
  });

  it("says what to do when nobody or several are found", async () => {
    const { page } = visitor;
    for (const query of [crypto.randomUUID(), "nobody@example.com", "nonsense", "%", "' or true --"]) {
      await lookUp(query);
      await page.getByText("No member is found for").waitFor();
    }
    await visitor.audit("nobody found");
    await addMember(service.sql, { email: "twins@example.com", displayName: "First twin" });
    await addMember(service.sql, { email: "twins@example.com", displayName: "Second twin" });
    await lookUp("twins@example.com");
    await page.getByRole("heading", { name: "Members found" }).waitFor();
    await visitor.audit("several found");
    await page.getByRole("link", { name: "Second twin" }).click();
    await page.getByRole("heading", { name: "Second twin Assigned" }).waitFor();
  });

  it("lists a trainer's clients in pages and as CSV", async () => {
    const { page } = visitor;
    await service.sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 60)`;
    const [count] = await service.sql<[{ active: number }]>`
      select count(*) as active from public.trainer_client_assignments where status = 'active'
    `;
    await page.goto(`${HOME}/trainers`);
    await visitor.audit("asking for a trainer");
    await page.getByLabel("A trainer's name, e-mail or id").fill(DEFAULT_TRAINER_ID);
    await page.getByRole("button", { name: "List clients" }).click();
    await page.getByRole("heading", { name: "Clients of First trainer" }).waitFor();
    await visitor.audit("a trainer's clients");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download all (CSV)" }).click();
    const csv = await Deno.readTextFile(await (await download).path());
    assertEquals(csv.trimEnd().split("\r\n").length, count.active + 1);

    await page.getByRole("link", { name: "Next page" }).click();
    assertEquals(await page.getByRole("row").count(), count.active - 50 + 1);
    await page.getByRole("link", { name: "Ended" }).click();
    assertEquals(await page.getByRole("row").count(), 2);
  });

  it("shows hostile names, notes and error messages as plain text", async () => {
    const { page } = visitor;
    const id = await addMember(service.sql, { email: "hostile@example.com", displayName: HOSTILE });
    await service.sql`update public.trainer_client_assignments set notes = ${
      HOSTILE + LONG
    } where client_id = ${id}`;
    await lookUp("hostile@example.com");
    await page.getByRole("heading", { name: "Assigned" }).waitFor();
    assertStringIncludes(
      await page.locator("h2").first().innerText(),
      '<script>document.title = "owned"</script>',
    );
    assertStringIncludes((await page.locator(".message").first().textContent()) ?? "", HOSTILE + LONG);
    await visitor.audit("hostile texts of a member");

    await service.sql`
      insert into assignment.failures (member_id, sqlstate, message, source)
      values (${id}, 'XX000', ${HOSTILE + LONG}, 'trigger')
    `;
    await page.goto(`${HOME}/failures`);
    assertEquals(await page.locator(".message").first().textContent(), HOSTILE + LONG);
    await visitor.audit("a hostile failure");
    await service.sql`delete from assignment.failures`;

    const unknown = `${HOSTILE.trim()}?`;
    await page.goto(`${HOME}/members?q=${encodeURIComponent(unknown)}`);
    assertEquals(await page.locator(".quoted").textContent(), unknown);
    await page.goto(`${HOME}?notice=${encodeURIComponent(HOSTILE)}`);
    assertEquals(await page.locator(".notice").count(), 0);
    assertEquals((await page.title()).includes("owned"), false);
  });

  it("retries the sign-ups that failed", async () => {
    const { page } = visitor;
    await refuseAssignments(service.sql, "true");
    const id = await addMember(service.sql, { email: "refused@example.com" });
    const other = await addMember(service.sql);
    await page.goto(`${HOME}/failures`);
    await page.getByText("A trigger of the database refused it.").first().waitFor();
    await page.getByRole("link", { name: `refused@example.com ${id}` }).waitFor();
    await refuseAssignments(service.sql, `new.client_id <> '${other}'`);
    await page.getByRole("button", { name: "Retry all now" }).click();
    await page.getByText("All waiting sign-ups were tried again: 1 of 2 failed again").waitFor();
    await visitor.audit("a retry that failed again");
    await lookUp(id);
    await page.getByText("The service tries again").waitFor();
    await visitor.audit("a member whose sign-up failed");
    await acceptAssignments(service.sql);
    await page.goto(`${HOME}/failures`);
    await page.getByRole("button", { name: "Retry all now" }).click();
    await page.getByText("All waiting sign-ups were tried again: 1, and none failed again.").waitFor();
    await page.getByText("No sign-up waits").waitFor();
    await visitor.audit("no failures");
  });

  it("changes the default trainer after saying how many follow, and moves nobody", async () => {
    const { page } = visitor;
    const id = await addMember(service.sql, { displayName: "Second trainer" });
    const before = await assignmentsOf(DEFAULT_TRAINER_ID);
    await page.goto(HOME);
    const members = await readFigure(page, "Members");
    await page.getByText("Change…").click();
    await page.getByLabel("The new default trainer").fill(id);
    await page.getByRole("button", { name: "Review the change" }).click();
    await page.getByText("Nobody is moved.").waitFor();
    await page.getByText(`${members - 1} members do not have the new trainer.`).waitFor();
    await visitor.audit("asking whether to change the default trainer");
    await page.getByLabel(/They keep them/).check();
    await page.getByRole("button", { name: "Change the default trainer" }).click();
    await page.getByText("The default trainer was changed. Nobody was moved.").waitFor();
    assertEquals(await assignmentsOf(DEFAULT_TRAINER_ID), before);
    assertEquals(await page.getByRole("link", { name: `Second trainer ${id}` }).first().isVisible(), true);

    const next = await addMember(service.sql);
    await lookUp(next);
    await page.getByText("To Second trainer").waitFor();

    await page.goto(HOME);
    await page.getByText("Change…").click();
    visitor.expectInConsole(/status of 422/);
    await page.getByLabel("The new default trainer").fill(crypto.randomUUID());
    await page.getByRole("button", { name: "Review the change" }).click();
    await page.getByText("There is no member with this id").waitFor();
  });

  it("says in words when the trigger is disabled or missing, or the default trainer is not a member", async () => {
    const { page } = visitor;
    await service.sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    await page.goto(HOME);
    await page.getByText("Trigger disabled.").waitFor();
    await visitor.audit("a disabled trigger");
    await service.sql`drop trigger members_assign_trainer_after_insert on public.members`;
    await page.getByText("Trigger missing.").waitFor();
    await visitor.audit("a missing trigger");
    await service.sql`update assignment.settings set default_trainer_id = ${crypto.randomUUID()}`;
    await page.getByText("is not a member: add them to the members, or choose another.").waitFor();
    await visitor.audit("a default trainer who is not a member");
    await service.sql`delete from assignment.settings`;
    await page.getByRole("heading", { name: "No default trainer is set." }).waitFor();
    await visitor.audit("no default trainer");
    await withoutTrigger(service.sql, (sql) => sql`delete from public.members`);
    await service.sql`delete from public.trainer_client_assignments`;
    await service.sql`insert into assignment.settings (default_trainer_id) values (${DEFAULT_TRAINER_ID})`;
    await page.getByRole("heading", { name: "There are no members yet." }).waitFor();
    await visitor.audit("no members");
  });

  async function assignmentsOf(trainerId: string): Promise<number> {
    const rows = await service.sql`
      select from public.trainer_client_assignments where trainer_id = ${trainerId} and status = 'active'
    `;
    return rows.length;
  }
});
