import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { writeCursor } from "../../../src/http/paging.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { runBackfill } from "../../support/backfills.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../../support/members.ts";
import { get, HOME, signIn } from "../admin_page.ts";
import { type TestService, testService } from "../test_service.ts";

const LAST = "The list ends here: a run records its first 10,000 failed members. 12,345 failed in total; " +
  "a retry goes over all members.";

describe("lists of the admin page", () => {
  let service: TestService;
  let cookie: string;
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
  });
  afterEach(() => service.stop());

  const page = async (path: string) => await (await get(service, path, cookie)).text();

  it("of waiting sign-ups are followed by the events that could not be taken, if there are any", async () => {
    const heading = "Events of the identity provider that could not be taken";
    assertEquals((await page(`${HOME}/failures`)).includes(heading), false);
    await service.sql`
      select assignment.take_member_event('msg_<b>', 'user.created', null, 'display_name', 'Anna', 'email', null)
    `;
    const text = await page(`${HOME}/failures`);
    assertStringIncludes(text, heading);
    assertStringIncludes(text, "<code>msg_&lt;b&gt;</code>");
    assertStringIncludes(text, "the event names no member: see MEMBER_HOOK_ID <code>id_missing</code>");
  });

  it("of failed members say at their end, and in the CSV, that a run records 10,000 of them", async () => {
    await addUnseenMembers(service.sql, 2);
    await refuseAssignments(service.sql, "true");
    const run = await runBackfill(service.sql);
    await acceptAssignments(service.sql);
    const path = `${HOME}/runs/${run.id}`;
    assertEquals((await page(path)).includes("The list ends here"), false);
    assertEquals((await page(`${path}/errors.csv`)).trimEnd().split("\r\n").length, 3);

    await service.sql`
      insert into assignment.backfill_errors (run_id, member_id, sqlstate, message)
      select ${run.id}, ('ffffffff-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, 'P0001', 'refused'
      from generate_series(1, 9998) as i
    `;
    await service
      .sql`update assignment.backfill_lanes set failed = 12345 where run_id = ${run.id} and failed > 0`;
    assertEquals((await page(path)).includes("The list ends here"), false); // it goes on on the next page
    const cursor = writeCursor(`backfill-errors/${run.id}`, "ffffffff-0000-4000-8000-000000009990");
    assertStringIncludes(await page(`${path}?cursor=${cursor}`), LAST);

    const lines = (await page(`${path}/errors.csv`)).trimEnd().split("\r\n");
    assertEquals(lines.length, 10_002);
    assertEquals(lines.at(-1), `,,,,"${LAST}"`);
    const programs = await service.call(`GET /v1/backfills/${run.id}/errors`, {
      headers: { Accept: "text/csv" },
    });
    assertEquals((await programs.text()).includes("The list ends here"), false);
  });

  it("of runs name the trainer of each, on the overview too", async () => {
    const trainer = newId();
    await service.sql`insert into public.members (id, display_name) values (${trainer}, 'Another trainer')`;
    await runBackfill(service.sql, { trainerId: trainer });
    await runBackfill(service.sql);
    for (const path of [HOME, `${HOME}/runs`]) {
      const [, table = ""] = (await page(path)).split('aria-label="List: Runs"');
      assertStringIncludes(table, "Another trainer");
      assertStringIncludes(table, trainer);
      assertStringIncludes(table, DEFAULT_TRAINER_ID);
    }
  });

  it("lead from an outdated page to the first one of the same list", async () => {
    const trainer = `${HOME}/trainers/${DEFAULT_TRAINER_ID}`;
    for (
      const [path, first] of [
        [`${HOME}/runs?cursor=stale`, `${HOME}/runs`],
        [`${HOME}/failures?cursor=stale`, `${HOME}/failures`],
        [`${trainer}?status=inactive&cursor=stale`, `${trainer}?status=inactive`],
      ] as const
    ) {
      const response = await get(service, path, cookie);
      assertEquals(response.status, 400);
      assertStringIncludes(await response.text(), `href="${first}">Go to the first page</a>`);
    }
  });

  for (
    const [sqlstates, tone, note] of [
      [["TA011"], "", "for room; tried again automatically"],
      [["TA011", "42501"], "bad", "1 for room; tried again automatically"],
      [["42501"], "bad", "tried again automatically"],
    ] as const
  ) {
    it(`of waiting sign-ups tell those for room from failures: ${sqlstates.join(", ")}`, async () => {
      await service.sql`
        insert into assignment.failures (member_id, sqlstate, message, source)
        select gen_random_uuid(), sqlstate, 'a test', 'trigger' from unnest(${[
        ...sqlstates,
      ]}::text[]) as sqlstate
      `;
      assertStringIncludes(
        await page(HOME),
        `<div class="figure ${tone}"><dt>Waiting sign-ups</dt><dd>${sqlstates.length}</dd><dd class="note">${note};`,
      );
    });
  }

  it("of waiting sign-ups and of a run's failed members each say what becomes of them", async () => {
    await addUnseenMembers(service.sql, 1);
    await refuseAssignments(service.sql, "true");
    await service.sql`insert into public.members (id) values (${newId()})`;
    const run = await runBackfill(service.sql);
    await acceptAssignments(service.sql);

    const overview = await page(HOME);
    assertMatch(overview, /Waiting sign-ups<\/dt>.*tried again automatically/);
    assertMatch(overview, /Failed<\/dt>.*this run does not try them again/);
    assertMatch(
      await page(`${HOME}/failures`),
      /The service tries each again by\s+itself.*They are not tried again/,
    );
    assertMatch(
      await page(`${HOME}/runs/${run.id}`),
      /does not try them again: retry the failed, or start another\s+run/,
    );
    assertStringIncludes(await page(`${HOME}/health`), "Waiting sign-ups: needs attention.");
    for (const path of ["", "/failures", `/runs/${run.id}`, "/health"]) {
      assertEquals(/Failures waiting|Waiting for a retry/.test(await page(HOME + path)), false);
    }
  });
});
