import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer } from "../../../src/assignments/assign.ts";
import { getPolicy } from "../../../src/policy/policies.ts";
import { getRun } from "../../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { countClients, putRules } from "../../support/policies.ts";
import { get, HOME, post, signIn } from "../admin_page.ts";
import { findForms } from "../crawl.ts";
import { textOfPage } from "../page_text.ts";
import { addMembers, type TestService, testService } from "../test_service.ts";

describe("what becomes of those who have a trainer, on the admin page", () => {
  let service: TestService;
  let cookie: string;
  let anna: string;
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
    [anna = ""] = await addMembers(service.sql, 1);
    await service.sql`update public.members set display_name = 'Anna' where id = ${anna}`;
  });
  afterEach(() => service.stop());

  const htmlAt = async (path: string) => await (await get(service, path, cookie)).text();

  /** Drives the run that a page is about. */
  async function drive(location: string | null): Promise<string> {
    const [, id = ""] = /runs\/([0-9a-f-]{36})/.exec(location ?? "") ?? [];
    await driveToEnd(service.sql, await getRun(service.sql, id));
    return `${HOME}/runs/${id}`;
  }

  it("moves whom the policy chose before, after a dry run, when the default trainer changes", async () => {
    const [, byHand = ""] = await addMembers(service.sql, 3);
    await service.sql`delete from public.trainer_client_assignments where client_id = ${byHand}`;
    await assignClientToTrainer(service.sql, byHand, { trainerId: DEFAULT_TRAINER_ID, actor: "maria" });
    await service.sql`delete from public.trainer_client_assignments where client_id = ${anna}`;

    const saved = await post(service, `${HOME}/default-trainer`, cookie, { trainerId: anna, fate: "move" });
    assertMatch(saved.headers.get("location") ?? "", /runs\/[0-9a-f-]{36}\?notice=policy_moves\.2$/);
    assertEquals((await getPolicy(service.sql)).policy.respectsOtherTrainers, true);
    const path = await drive(saved.headers.get("location"));
    const html = await htmlAt(path);
    const text = textOfPage(html);
    for (
      const shown of [
        "Dry run of a reassignment",
        "Replaces what the policy chose and would no longer choose.",
        "Nothing was changed yet.",
        "Assign or move",
      ]
    ) assertStringIncludes(text, shown);
    assertEquals(await countClients(service.sql, [DEFAULT_TRAINER_ID, anna]), [3, 0]);

    const [form] = findForms(html).filter(({ action }) => action === `${HOME}/runs`);
    const started = await post(service, form?.action ?? "", cookie, form?.fields);
    const done = textOfPage(await htmlAt(await drive(started.headers.get("location"))));
    assertStringIncludes(done, "Reassignment");
    assertStringIncludes(done, "Assigned or moved");
    assertEquals(await countClients(service.sql, [DEFAULT_TRAINER_ID]), [1]);
    assertStringIncludes(textOfPage(await htmlAt(`${HOME}/runs`)), "Reassignment By the policy, version 2");
  });

  it("is asked on the policy's page after a change, and a dry run of an older version leads nowhere", async () => {
    assertEquals((await htmlAt(`${HOME}/policy`)).includes("who would be moved?"), false);
    await addMembers(service.sql, 2);
    const rule = { choose: "spread" as const, trainers: [{ trainerId: anna }] };
    await putRules(service.sql, [{ name: "Anna's", assign: rule }]);
    const [form] = findForms(await htmlAt(`${HOME}/policy`)).filter(({ action }) =>
      action === `${HOME}/runs`
    );
    const started = await post(service, form?.action ?? "", cookie, form?.fields);
    assertMatch(started.headers.get("location") ?? "", /\?notice=dry_run_started$/);
    const path = await drive(started.headers.get("location"));
    assertStringIncludes(textOfPage(await htmlAt(path)), "Assign or move 3 members");
    await putRules(service.sql, []);
    const text = textOfPage(await htmlAt(path));
    assertStringIncludes(text, "The policy has changed since: version 3 is in force.");
    assertEquals(text.includes("Assign or move 3"), false);
  });
});
