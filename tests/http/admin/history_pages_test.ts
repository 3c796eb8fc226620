import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { pauseRun, startTransfer } from "../../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { putRules } from "../../support/policies.ts";
import { get, HOME, post, signIn } from "../admin_page.ts";
import { textOfPage } from "../page_text.ts";
import { type TestService, testService } from "../test_service.ts";

describe("the history on the admin page", () => {
  let service: TestService;
  let cookie: string;
  let anna: string;
  let member: string;
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
    [anna, member] = [await addMember("Anna"), await addMember("Somebody")];
  });
  afterEach(() => service.stop());

  async function addMember(name: string): Promise<string> {
    const id = newId();
    await service.sql`insert into public.members (id, display_name) values (${id}, ${name})`;
    return id;
  }

  const htmlAt = async (path: string) => await (await get(service, path, cookie)).text();
  /** What the list says, without the form above it. */
  const listAt = async (path: string) =>
    textOfPage((await htmlAt(path)).replace(/<form class="builder[^]*?<\/form>/, ""));

  async function doMuch(): Promise<string> {
    const { sql } = service;
    await post(service, `${HOME}/members/${member}/assign`, cookie, { trainerId: anna });
    await post(service, `${HOME}/members/${member}/end`, cookie, { trainerId: anna });
    await post(service, `${HOME}/trainers/${anna}/settings`, cookie, { capacity: "3", note: "on leave" });
    await putRules(sql, [{ name: "Nobody", assign: { choose: "nobody" } }]);
    const run = await startTransfer(sql, {
      fromTrainerId: DEFAULT_TRAINER_ID,
      trainerId: anna,
      dryRun: true,
      requestedBy: "office",
    });
    await driveToEnd(sql, run);
    await sql`update public.trainer_client_assignments set notes = 'by hand' where client_id = ${member}`;
    return run.id;
  }

  it("says in words who did what, with what was before and after, and leads to it", async () => {
    const run = await doMuch();
    const html = await htmlAt(`${HOME}/history`);
    const text = await listAt(`${HOME}/history`);
    for (
      const shown of [
        `ops Assigned by hand Somebody ${member} to Anna ${anna}`,
        `ops Ended by hand Somebody ${member} from Anna ${anna}`,
        "ops Changed a trainer's settings",
        "capacity: from no limit to 3 clients",
        "new clients: from accepted to paused",
        "the note was changed",
        "a test Changed the policy Version 2: 1 rule added",
        "office Started a run Dry run of a transfer",
        "Dry run of a transfer: Completed with errors",
        "Changed assignments past the service",
        "changed otherwise",
        "ops Signed in as admin, by token",
      ]
    ) assertStringIncludes(text, shown);
    assertEquals(text.includes("on leave"), false); // may be personal
    for (const path of [`${HOME}/runs/${run}`, `${HOME}/policy/versions/2`, `${HOME}/trainers/${anna}`]) {
      assertStringIncludes(html, `href="${path}"`);
    }
    assertStringIncludes(html, `href="${HOME}/members?q=${member}"`);
  });

  it("shows the part that is asked for: who, what, to whom, with whom, when", async () => {
    const run = await doMuch();
    const today = new Date().toISOString().slice(0, 10);
    for (
      const [query, shown, hidden] of [
        ["actor=office", "Started a run", "Signed in"],
        ["action=trainer.changed", "capacity", "Signed in"],
        ["member=Somebody", "Assigned by hand", "Signed in"],
        [`memberId=${member}`, "Assigned by hand", "Signed in"],
        ["trainer=Anna", "Changed a trainer's settings", "Signed in"],
        [`member=Somebody&trainer=${anna}`, "Ended by hand", "Changed a trainer's settings"],
        [`subject=run:${run}`, "Started a run", "Signed in"],
        [`from=${today}&to=${today}`, "Signed in", "Nothing of the kind"],
        ["to=2020-01-01", "Nothing of the kind was done.", "Signed in"],
        ["to=9999-12-31", "Signed in", "Nothing of the kind"],
        ["action=x&from=&actor=", "Signed in", "Nothing of the kind"],
      ] as const
    ) {
      const text = await listAt(`${HOME}/history?${query}`);
      assertStringIncludes(text, shown);
      assert(!text.includes(hidden), `${query} shows ${hidden}`);
    }
  });

  it("asks whom, where a name is several members'", async () => {
    await addMember("Another Somebody");
    const response = await get(service, `${HOME}/history?member=some`, cookie);
    assertEquals(response.status, 422);
    assertStringIncludes(textOfPage(await response.text()), "choose one of the members found");
  });

  it("refuses a day that there is not, rather than show and download everything", async () => {
    for (const query of ["from=2026-02-31", "to=2026-13-01", "from=x", "to=0000-01-01"]) {
      const response = await get(service, `${HOME}/history?${query}`, cookie);
      const page = textOfPage(await response.text());
      assertEquals(response.status, 422, query);
      assertStringIncludes(page, "Choose a day of the calendar");
      assertEquals(page.includes("Signed in as"), false);
      assertEquals((await get(service, `${HOME}/history.csv?${query}`, cookie)).status, 400);
    }
  });

  it("goes on on further pages, and is downloaded whole or in part", async () => {
    await service.sql`
      select assignment.record_audit('filler', 'session.started', p_after => jsonb_build_object('n', n))
      from generate_series(1, 120) as n
    `;
    let path: string | undefined = `${HOME}/history?actor=filler`;
    let rows = 0;
    for (; path !== undefined;) {
      const html: string = await htmlAt(path);
      rows += html.split("data-key=").length - 1;
      path = /rel="next" href="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
    }
    assertEquals(rows, 120);
    const csv = await (await get(service, `${HOME}/history.csv?actor=filler`, cookie)).text();
    assertEquals(csv.trimEnd().split("\r\n").length, 121);
    assertMatch(csv, /^what,id,at,actor,/);
    assertStringIncludes(csv, "\r\nSigned in,");
  });

  it("stands beside a trainer's settings, and a run leads to its part", async () => {
    const run = await doMuch();
    const trainer = textOfPage(await htmlAt(`${HOME}/trainers/${anna}`));
    assertMatch(trainer, /Who changed this, when \S+ \S+ UTC ops: Changed a trainer's settings/);
    const paused = await startTransfer(service.sql, {
      fromTrainerId: anna,
      trainerId: member,
      requestedBy: "x",
    });
    await pauseRun(service.sql, paused.id, "x");
    const html = await htmlAt(`${HOME}/runs/${run}`);
    assertStringIncludes(html, `href="${HOME}/history?subject=run%3A${run}"`);
  });

  it("names a member who was deleted by nothing, and a trainer who was deleted as a former one", async () => {
    await doMuch();
    await service.sql`delete from public.members where id = ${member}`;
    const text = await listAt(`${HOME}/history?trainerId=${anna}`);
    assertStringIncludes(text, "a member who was deleted since");
    assertEquals(text.includes(member), false);
    await service.sql`delete from public.members where id = ${anna}`;
    assertStringIncludes(await listAt(`${HOME}/history?trainerId=${anna}`), "a former trainer (deleted)");
  });
});
