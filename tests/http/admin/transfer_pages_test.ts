import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import { getRun, startTransfer } from "../../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { among, countClients, putRules, setCapacity } from "../../support/policies.ts";
import { get, HOME, signIn } from "../admin_page.ts";
import { findForms } from "../crawl.ts";
import { textOfPage } from "../page_text.ts";
import { type TestService, testService } from "../test_service.ts";

describe("the transfer on the admin page", () => {
  let service: TestService;
  let cookie: string;
  let anna: string;
  let ben: string;
  let clients: string[];
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
    await service.sql`alter table public.members add column plan text`;
    [anna, ben] = [await addMember("Anna"), await addMember("Ben")];
    await service.sql`delete from public.trainer_client_assignments`;
    clients = [];
    for (const name of ["One", "Two", "Three"]) clients.push(await addClient(name));
  });
  afterEach(() => service.stop());

  async function addMember(name: string): Promise<string> {
    const id = newId();
    await service.sql`insert into public.members (id, display_name) values (${id}, ${name})`;
    return id;
  }

  async function addClient(name: string): Promise<string> {
    const id = await addMember(name);
    await service.sql`delete from public.trainer_client_assignments where client_id = ${id}`;
    await assignClientToTrainer(service.sql, id, { trainerId: anna, notes: "knee" });
    return id;
  }

  const move = () => `${HOME}/trainers/${anna}/move`;
  const textAt = async (path: string) => textOfPage(await (await get(service, path, cookie)).text());

  /** Sends the form as a browser does, with fields that occur several times. */
  async function send(fields: [string, string][], path = move()) {
    const response = await service.app.request(path, {
      method: "POST",
      headers: { cookie, "sec-fetch-site": "same-origin" },
      body: new URLSearchParams(fields),
    });
    const html = await response.text();
    return {
      status: response.status,
      html,
      text: textOfPage(html),
      location: response.headers.get("location"),
    };
  }

  /** Presses a button of the preview. */
  async function press(html: string, verb: string) {
    const [form] = findForms(html).filter(({ action }) => action.endsWith("/transfers"));
    return await send([["plan", form?.fields["plan"] ?? ""], ["do", verb]], form?.action);
  }

  it("asks to whom and whom, and ticks that the trainer takes no new clients when all are moved", async () => {
    assertStringIncludes(await textAt(`${HOME}/trainers/${anna}`), "Move clients…");
    const html = await (await get(service, move(), cookie)).text();
    assertStringIncludes(
      textOfPage(html),
      "Anna has 3 clients. A preview comes first: nothing is moved yet.",
    );
    assert(/name="stopsNewClients" value="true" checked/.test(html));
    const picked = await (await get(service, `${move()}?client=${clients[0]}`, cookie)).text();
    assert(!/name="stopsNewClients" value="true" checked/.test(picked));
    assertStringIncludes(textOfPage(picked), `One ${clients[0]}`);
  });

  it("shows who gets whom, moves nobody before the button, then moves all and stops new clients at once", async () => {
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

  it("says what is wrong with the form, and keeps what was typed", async () => {
    for (
      const [fields, fault] of [
        [[["whom", "all"]], "Say to whom."],
        [[["to", "trainer"]], "Choose a member: type a name, an e-mail or an id."],
        [[["to", "trainer"], ["trainerId", "nobody"]], "No member has such a name"],
        [[["to", "trainer"], ["trainerId", anna]], "Pick somebody else"],
        [[["to", "trainer"], ["trainerId", newId()]], "There is no member with this id"],
        [[["to", "policy"], ["whom", "picked"]], "Pick at least one client."],
        [[["to", "policy"], ["whom", "picked"], ["pasted", "x1"]], "This is not a member id: x1."],
        [[["to", "policy"], ["whom", "matching"]], "Add a condition, or choose another answer."],
        [
          [["to", "policy"], ["whom", "matching"], ["c0.field", "gone"], ["c0.op", "exists"]],
          "The condition: members has no column gone.",
        ],
        [[["to", "trainer"], ["trainerId", "e"], ["find", "trainerId"]], "choose one of the members found"],
      ] as [[string, string][], string][]
    ) {
      const refused = await send([...fields, ["notes", "as typed"], ["do", "preview"]]);
      assertEquals([fault, refused.status], [fault, 422]);
      assertStringIncludes(refused.text, fault);
      assertStringIncludes(refused.html, "as typed</textarea>");
    }
    assertEquals(
      (await send([["plan", "{}"], ["do", "move"]], `${HOME}/trainers/${anna}/transfers`)).status,
      400,
    );
    assertEquals([...await service.sql`select from assignment.backfill_runs`], []);
  });

  it("says that nobody could take over from the default trainer of a policy without rules", async () => {
    const refused = await send(
      [["to", "policy"], ["whom", "all"]],
      `${HOME}/trainers/${DEFAULT_TRAINER_ID}/move`,
    );
    assertEquals(refused.status, 422);
    assertStringIncludes(refused.text, "Nobody could take over: the policy knows no other trainer.");
    assertStringIncludes(refused.text, "is the default trainer of the policy");
  });

  it("leads to the transfer that has not ended, and leaves the trainer's settings as they are", async () => {
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

  it("takes 1,000 ids, and says that more are too many", async () => {
    const ids = Array.from({ length: 1001 }, newId);
    const fields = (pasted: string[]): [string, string][] => [
      ["to", "trainer"],
      ["trainerId", ben],
      ["whom", "picked"],
      ["pasted", pasted.join("\r\n")],
      ["notes", "n".repeat(10_000)],
    ];
    const preview = await send(fields(ids.slice(1)));
    assertEquals(preview.status, 200);
    assertEquals((await press(preview.html, "edit")).status, 200);
    assertStringIncludes((await send(fields(ids))).text, "At most 1000 clients can be picked at once.");
  });

  it("looks at a sample where there are many clients, and offers a dry run", async () => {
    await service.sql`
      with added as (insert into public.members (id) select gen_random_uuid() from generate_series(1, 10001) returning id)
      select from added
    `;
    await service
      .sql`update public.trainer_client_assignments set trainer_id = ${anna} where trainer_id = ${DEFAULT_TRAINER_ID}`;
    const { text } = await send([["to", "trainer"], ["trainerId", ben], ["whom", "all"]]);
    for (
      const shown of [
        "This is a sample: only the first 10,000 of 10,004 clients were looked at.",
        "Move up to 10,004 clients",
        "Dry run first",
        "The first 50 of 10,000.",
      ]
    ) assertStringIncludes(text, shown);
  });
});
