import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { get, HOME } from "../admin_page.ts";
import { textOfPage } from "../page_text.ts";
import { type TransferService, transferService } from "./transfer_service.ts";

describe("the transfer on the admin page", () => {
  let service: TransferService;
  beforeEach(async () => {
    service = await transferService();
  });
  afterEach(() => service.stop());

  it("asks to whom and whom, and ticks that the trainer takes no new clients when all are moved", async () => {
    const { cookie, anna, clients, movePath, textAt } = service;
    assertStringIncludes(await textAt(`${HOME}/trainers/${anna}`), "Move clients…");
    const html = await (await get(service, movePath, cookie)).text();
    assertStringIncludes(
      textOfPage(html),
      "Anna has 3 clients. A preview comes first: nothing is moved yet.",
    );
    assert(/name="stopsNewClients" value="true" checked/.test(html));
    const picked = await (await get(service, `${movePath}?client=${clients[0]}`, cookie)).text();
    assert(!/name="stopsNewClients" value="true" checked/.test(picked));
    assertStringIncludes(textOfPage(picked), `One ${clients[0]}`);
  });

  it("says what is wrong with the form, and keeps what was typed", async () => {
    const { anna, send } = service;
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
    const { send } = service;
    const refused = await send(
      [["to", "policy"], ["whom", "all"]],
      `${HOME}/trainers/${DEFAULT_TRAINER_ID}/move`,
    );
    assertEquals(refused.status, 422);
    assertStringIncludes(refused.text, "Nobody could take over: the policy knows no other trainer.");
    assertStringIncludes(refused.text, "is the default trainer of the policy");
  });

  it("takes 1,000 ids, and says that more are too many", async () => {
    const { ben, send, press } = service;
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
    const { anna, ben, send } = service;
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
