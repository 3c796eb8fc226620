import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import { getRun, startTransfer } from "../../../src/runs/runs.ts";
import { newId } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { among, countClients, putRules, setCapacity } from "../../support/policies.ts";
import { get, HOME } from "../admin_page.ts";
import { textOfPage } from "../page_text.ts";
import { type TransferService, transferService } from "./transfer_service.ts";

describe("the transfer on the admin page", () => {
  let service: TransferService;
  beforeEach(async () => {
    service = await transferService();
  });
  afterEach(() => service.stop());

  it("shows who gets whom, moves nobody before the button, then moves all and stops new clients at once", async () => {
    const { anna, ben, textAt, send, press } = service;
    const preview = await send([["to", "trainer"], ["trainerId", "Ben"], ["whom", "all"], [
      "stopsNewClients",
      "true",
    ]]);
    assertEquals(preview.status, 200);
    for (
      const shown of [
        "3 of 3 clients would be moved.",
        "Ben 3",
        "Everybody's notes are kept.",
        "Anna takes no new clients from then on.",
        "Move 3 clients",
      ]
    ) assertStringIncludes(preview.text, shown);
    assertEquals(await countClients(service.sql, [anna, ben]), [3, 0]);
    assertEquals([...await service.sql`select from assignment.backfill_runs`], []);

    const moved = await press(preview.html, "move");
    assertEquals(moved.status, 303);
    const [run] = await service.sql<{ id: string }[]>`select id from assignment.backfill_runs`;
    assertEquals(moved.location, `${HOME}/runs/${run?.id}?notice=transfer_started.1`);
    const [trainer] = await service.sql`
      select accepts_clients, updated_by from assignment.trainers where trainer_id = ${anna}
    `;
    assertEquals(trainer, { acceptsClients: false, updatedBy: "ops" });
    await driveToEnd(service.sql, await getRun(service.sql, run?.id ?? ""));
    const text = await textAt(moved.location ?? "");
    for (
      const shown of [
        "Transfer",
        "From Anna",
        "to Ben",
        "Moved 3",
        "Left with the trainer 0",
        "Anna has no clients left and can be deleted in your application.",
      ]
    ) assertStringIncludes(text, shown);
  });

  it("moves clients who were ticked or whose ids were pasted, with new notes", async () => {
    const { anna, ben, clients, textAt, send, press } = service;
    const preview = await send([
      ["to", "trainer"],
      ["trainerId", ben],
      ["whom", "picked"],
      ["client", clients[0] ?? ""],
      ["pasted", `{${clients[1]?.toUpperCase()}}\n\n${newId()}`],
      ["notes", "as agreed"],
    ]);
    assertStringIncludes(preview.text, "2 of 2 clients would be moved, of 3 whom Anna has.");
    assertStringIncludes(preview.text, "1 of the picked is not a client of Anna");
    assertStringIncludes(preview.text, "Anna goes on to take new clients");
    const { location } = await press(preview.html, "move");
    assertEquals(location?.endsWith("notice=transfer_started.0"), true);
    const [run] = await service.sql<{ id: string }[]>`select id from assignment.backfill_runs`;
    await driveToEnd(service.sql, await getRun(service.sql, run?.id ?? ""));
    assertEquals(await countClients(service.sql, [anna, ben]), [1, 2]);
    const text = await textAt(location ?? "");
    for (
      const shown of [
        "Only the clients who were picked.",
        "The new assignments have these notes: as agreed",
        "1 no longer a client",
        "Anna still has 1 client",
        "Anna still takes new clients.",
      ]
    ) assertStringIncludes(text, shown);
  });

  it("moves those who meet a condition, built as in a rule, as the policy decides", async () => {
    const { anna, ben, clients, textAt, send, press } = service;
    await putRules(service.sql, [{ name: "Ben's", assign: among("spread", [anna, ben]) }]);
    await service.sql`update public.members set plan = 'pro' where id = ${clients[0] ?? ""}`;
    const added = await send([["to", "policy"], ["newField", "plan"], ["do", "add-condition"]]);
    assertStringIncludes(added.html, 'name="c0.field" value="plan"');
    const preview = await send([
      ["to", "policy"],
      ["whom", "matching"],
      ["match", "all"],
      ["c0.field", "plan"],
      ["c0.op", "eq"],
      ["c0.typed", "pro"],
    ]);
    assertStringIncludes(preview.text, "1 of 1 client would be moved, of 3 whom Anna has.");
    assertStringIncludes(preview.text, "Anna is named in the rule Ben's of the policy");
    const again = await press(preview.html, "edit");
    assertStringIncludes(again.html, 'name="c0.field" value="plan"');
    await press(preview.html, "move");
    const [run] = await service.sql<{ id: string }[]>`select id from assignment.backfill_runs`;
    const { id } = await driveToEnd(service.sql, await getRun(service.sql, run?.id ?? ""));
    assertEquals(await countClients(service.sql, [anna, ben]), [2, 1]);
    const text = await textAt(`${HOME}/runs/${id}`);
    assertStringIncludes(text, "to whom the policy chooses, version 2");
    assertStringIncludes(text, "Only clients for whom: plan is pro.");
  });

  it("says before and after who would stay, and why", async () => {
    const { cookie, anna, ben, clients, textAt, send, press } = service;
    const [one = ""] = clients;
    await assignClientToTrainer(service.sql, one, { trainerId: ben });
    await endAssignment(service.sql, ben, one);
    await setCapacity(service.sql, ben, 1);
    const preview = await send([["to", "trainer"], ["trainerId", ben], ["whom", "all"]]);
    for (
      const shown of [
        "1 of 3 clients would be moved.",
        "Who stays with Anna",
        "the new trainer has no room",
        "they had the new trainer before, until it was ended by hand",
      ]
    ) assertStringIncludes(preview.text, shown);
    const dry = await press(preview.html, "dry-run");
    const [dryRun] = await service.sql<{ id: string }[]>`select id from assignment.backfill_runs`;
    await driveToEnd(service.sql, await getRun(service.sql, dryRun?.id ?? ""));
    const page = await (await get(service, dry.location ?? "", cookie)).text();
    for (
      const shown of ["Dry run of a transfer", "Would be moved 1", "Would stay 2", "Go on to move them…"]
    ) {
      assertStringIncludes(textOfPage(page), shown);
    }
    assertEquals(await countClients(service.sql, [anna, ben]), [3, 0]);
    const goOn = await press(page, "preview");
    assertStringIncludes(goOn.text, "Move 1 client");
    const { location } = await press(goOn.html, "move");
    const [run] = await service.sql<
      { id: string }[]
    >`select id from assignment.backfill_runs where not dry_run`;
    await driveToEnd(service.sql, await getRun(service.sql, run?.id ?? ""));
    const text = await textAt(location ?? "");
    for (
      const shown of [
        "Left with the trainer 2",
        "Who stays These clients were left with Anna",
        "The trainer, or every trainer of the rule, has no room.",
        "They had the new trainer before, until it was ended by hand.",
        "Retry the failed",
      ]
    ) assertStringIncludes(text, shown);
  });

  it("leads to the transfer that has not ended, and leaves the trainer's settings as they are", async () => {
    const { anna, ben, send, press } = service;
    const preview = await send([["to", "trainer"], ["trainerId", ben], ["whom", "all"], [
      "stopsNewClients",
      "true",
    ]]);
    const first = await startTransfer(service.sql, {
      fromTrainerId: anna,
      trainerId: ben,
      requestedBy: "other",
    });
    const { location } = await press(preview.html, "move");
    assertEquals(location, `${HOME}/runs/${first.id}?notice=transfer_active`);
    assertEquals([...await service.sql`select from assignment.trainers`], []);
  });
});
