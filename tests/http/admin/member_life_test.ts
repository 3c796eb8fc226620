import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import { startTransfer } from "../../../src/runs/runs.ts";
import { newId } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { setCapacity } from "../../support/policies.ts";
import { get, HOME, signIn } from "../admin_page.ts";
import { textOfPage } from "../page_text.ts";
import { type TestService, testService } from "../test_service.ts";

describe("a member's life on the admin page", () => {
  let service: TestService;
  let cookie: string;
  let anna: string;
  let ben: string;
  let member: string;
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
    [anna, ben, member] = [await addMember("Anna"), await addMember("Ben"), await addMember("Somebody")];
  });
  afterEach(() => service.stop());

  async function addMember(name: string): Promise<string> {
    const id = newId();
    await service.sql`insert into public.members (id, display_name) values (${id}, ${name})`;
    return id;
  }

  const htmlAt = async (path: string) => await (await get(service, path, cookie)).text();

  it("says who assigned by which rule, who ended and why, with links, and what failed", async () => {
    const { sql } = service;
    await assignClientToTrainer(sql, member, { trainerId: anna, actor: "maria", notes: "knee" });
    await setCapacity(sql, ben, 0);
    const request = { fromTrainerId: anna, trainerId: ben, requestedBy: "office" };
    const failed = await driveToEnd(sql, await startTransfer(sql, request));
    await setCapacity(sql, ben, null);
    const done = await driveToEnd(sql, await startTransfer(sql, request));
    await endAssignment(sql, ben, member, { actor: "maria" });
    const html = await htmlAt(`${HOME}/members?q=${member}`);
    const text = textOfPage(html);
    for (
      const shown of [
        `Ended Ben ${ben} by hand, by maria`,
        `Assigned Ben ${ben} by a transfer: for a trainer who was named, by office knee`,
        `Ended Anna ${anna} moved by a transfer, by office`,
        "Not assigned by a run The trainer, or every trainer of the rule, has no room. TA011",
        `Assigned Anna ${anna} by hand, by maria knee`,
        "automatically, at sign-up: the default trainer of version 1 of the policy",
      ]
    ) assertStringIncludes(text, shown);
    for (
      const path of [
        `runs/${failed.id}`,
        `runs/${done.id}`,
        "policy/versions/1",
        `history?memberId=${member}`,
      ]
    ) {
      assertStringIncludes(html, `href="${HOME}/${path}"`);
    }
    await sql`delete from public.members where id = ${anna}`;
    const after = textOfPage(await htmlAt(`${HOME}/members?q=${member}`));
    assertStringIncludes(after, "Ended a former trainer (deleted) moved by a transfer, by office");
  });

  it("goes on on further pages, and shows active assignments on each", async () => {
    await service.sql`
      insert into public.trainer_client_assignments (trainer_id, client_id, status, ended_at)
      select ${anna}, ${member}, 'inactive', now() from generate_series(1, 120)
    `;
    let path: string | undefined = `${HOME}/members?q=${member}`;
    let rows = 0;
    for (; path !== undefined;) {
      const html: string = await htmlAt(path);
      assertStringIncludes(html, "End the assignment");
      rows += html.split("data-key=").length - 1;
      path = /rel="next" href="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
    }
    assertEquals(rows, 241);
  });
});
