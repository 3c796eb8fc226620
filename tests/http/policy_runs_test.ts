import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { summarizeRun } from "../../src/commands/run_output.ts";
import { getRun } from "../../src/runs/runs.ts";
import type { Rule } from "../../src/policy/document.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveToEnd } from "../support/backfills.ts";
import { withoutTrigger } from "../support/members.ts";
import { addTrainers, among, putRules } from "../support/policies.ts";
import { get, HOME, signIn } from "./admin_page.ts";
import { type TestService, testService } from "./test_service.ts";

describe("a backfill by the policy over HTTP", () => {
  let service: TestService;
  let trainers: string[];
  let rules: Rule[];
  beforeEach(async () => {
    service = await testService();
    trainers = await addTrainers(service.sql, 2);
    rules = [
      {
        name: "Staff",
        when: { field: "email", op: "starts_with", value: "staff" },
        assign: { choose: "nobody" },
      },
      {
        name: "Named members",
        when: { field: "display_name", op: "eq", value: "A name" },
        assign: among("spread", trainers),
      },
    ];
  });
  afterEach(() => service.stop());

  /** Ten staff, thirty with a name, twenty others, whom no trigger saw. */
  async function addMembers(): Promise<void> {
    await withoutTrigger(service.sql, (tx) =>
      tx`
        insert into public.members (id, email, display_name)
        select gen_random_uuid(), case when n <= 10 then 'staff' || n end, case when n between 11 and 40 then 'A name' end
        from generate_series(1, 60) as n
      `);
  }

  const start = (json: object = {}) => service.call("POST /v1/backfills", { json });
  const read = async (id: string) => await (await service.call(`GET /v1/backfills/${id}`)).json();
  async function runToEnd(json: object = {}) {
    const { id } = await (await start(json)).json();
    await driveToEnd(service.sql, await getRun(service.sql, id));
    return await read(id);
  }
  const totalOf = (choices: { members: number }[]) => choices.reduce((sum, { members }) => sum + members, 0);

  it("has no trainer, keeps its version, and tells whom each rule chose; its dry run says the same", async () => {
    await addMembers();
    const version = await putRules(service.sql, rules);
    const dry = await runToEnd({ dryRun: true });
    const real = await runToEnd();
    for (const run of [dry, real]) {
      assertEquals([run.trainerId, run.policyVersion, run.successful], [null, version, 50]);
      assertEquals([run.skippedBecause.excluded, run.failed], [10, 0]);
      const byRule = run.choices.filter(({ rule }: { rule: number | null }) => rule === 2);
      assertEquals(totalOf(byRule), 30);
      assertEquals(
        new Set(byRule.map(({ ruleName }: { ruleName: string }) => ruleName)),
        new Set(["Named members"]),
      );
      assertEquals(run.choices.at(-1), {
        rule: null,
        ruleName: null,
        trainerId: DEFAULT_TRAINER_ID,
        members: 20,
      });
    }
    assertEquals(real.choices, dry.choices);
    assertEquals([dry.status, real.status, real.remaining], ["succeeded", "succeeded", 0]);
  });

  it("names the rules of the version that it began with", async () => {
    await addMembers();
    await putRules(service.sql, rules);
    const { id, policyVersion } = await (await start()).json();
    await putRules(service.sql, [{ name: "Another rule", assign: { choose: "nobody" } }]);
    await driveToEnd(service.sql, await getRun(service.sql, id));
    const run = await read(id);
    assertEquals([run.policyVersion, run.successful], [policyVersion, 50]);
    assertEquals(run.choices[0].ruleName, "Named members");
  });

  it("is for one trainer, without choices, as long as everybody gets the same", async () => {
    await addMembers();
    const run = await runToEnd();
    assertEquals([run.trainerId, run.policyVersion, run.successful, run.choices], [
      DEFAULT_TRAINER_ID,
      1,
      60,
      [],
    ]);
  });

  it("runs beside one for a named trainer, which ignores the rules", async () => {
    await addMembers();
    await putRules(service.sql, rules);
    const first = await start();
    const { id: activeId } = await first.json();
    const second = await start();
    assertEquals([first.status, second.status, second.headers.get("Location")], [
      202,
      409,
      `/v1/backfills/${activeId}`,
    ]);
    const { code, runId } = await second.json();
    assertEquals([code, runId], ["backfill_active", activeId]);
    const named = await runToEnd({ trainerId: trainers[0] });
    assertEquals([named.trainerId, named.policyVersion, named.choices], [trainers[0], null, []]);
    assertEquals([named.skippedBecause.excluded, named.skippedBecause.isTrainer], [0, 1]);
  });

  it("is sent to those who follow it, choices included", async () => {
    await addMembers();
    await putRules(service.sql, rules);
    const { id } = await runToEnd();
    const events = await (await service.call(`GET /v1/backfills/${id}/events`)).text();
    const data = /event: finished\nid: .*\ndata: (.*)/.exec(events)?.[1] ?? "{}";
    assertEquals(JSON.parse(data), await read(id));
  });

  it("is summarized for the terminal by rule and trainer, as a table", async () => {
    await addMembers();
    const version = await putRules(service.sql, rules);
    const { id } = await runToEnd({ dryRun: true });
    const lines = summarizeRun(await getRun(service.sql, id)).split("\n");
    const find = (start: string) => lines.find((line) => line.startsWith(start)) ?? "";
    assertStringIncludes(find("trainer "), `by the policy, version ${version}`);
    assertStringIncludes(find("  excluded by the policy"), "10");
    assertEquals(find("rule"), `${"rule".padEnd(19)}  ${"trainer".padEnd(36)}  would get`);
    assertEquals(
      find("the default trainer"),
      `the default trainer  ${DEFAULT_TRAINER_ID}  ${"20".padStart(9)}`,
    );
    assertEquals(lines.filter((line) => line.startsWith("2. Named members")).length, 2);
  });

  it("is shown on the admin page with its version and its choices", async () => {
    await addMembers();
    const version = await putRules(service.sql, rules);
    const { id } = await runToEnd();
    const cookie = await signIn(service);
    const page = async (path: string) => await (await get(service, HOME + path, cookie)).text();
    for (const path of ["", "/runs", `/runs/${id}`]) {
      const html = await page(path);
      assertMatch(html, /by the policy/i);
      assertStringIncludes(html, `version ${version}`);
    }
    const html = await page(`/runs/${id}`);
    assertStringIncludes(html, "Who got them");
    assertStringIncludes(html, "Named members");
    assertStringIncludes(html, "10 excluded by the policy");
  });
});
