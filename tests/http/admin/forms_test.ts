import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID, endAssignment } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { setCapacity } from "../../support/policies.ts";
import { get, HOME, post, signIn } from "../admin_page.ts";
import { findForms } from "../crawl.ts";
import { textOfPage } from "../page_text.ts";
import { type TestService, testService } from "../test_service.ts";

describe("forms of the admin page", () => {
  let service: TestService;
  let cookie: string;
  let member: string;
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
    member = await addMember();
  });
  afterEach(() => service.stop());

  async function addMember(): Promise<string> {
    const id = newId();
    await service.sql`insert into public.members (id) values (${id})`;
    return id;
  }

  const page = async (path: string) => await (await get(service, path, cookie)).text();
  const locationOf = (response: Response) => response.headers.get("location") ?? "";

  it("that choose the current default trainer again say so, and change nothing", async () => {
    const before = await service.sql`select * from assignment.settings`;
    const asked = await get(service, `${HOME}/default-trainer?trainerId=${DEFAULT_TRAINER_ID}`, cookie);
    const sent = await post(service, `${HOME}/default-trainer`, cookie, { trainerId: DEFAULT_TRAINER_ID });
    for (const response of [asked, sent]) {
      assertEquals([response.status, locationOf(response)], [303, `${HOME}?notice=trainer_kept`]);
    }
    assertStringIncludes(await page(locationOf(sent)), "This is already the default trainer.");
    assertEquals(await service.sql`select * from assignment.settings`, before);
    assertEquals(service.logged.filter(({ event }) => event === "default_trainer_changed"), []);
  });

  it("say of a change of the default trainer how many sign-ups wait, and that what was ended stays ended", async () => {
    const next = await addMember();
    await service.sql`
      insert into assignment.failures (member_id, sqlstate, message, source)
      select gen_random_uuid(), 'P0001', 'refused', 'trigger' from generate_series(1, 10002)
    `;
    const change = await page(`${HOME}/default-trainer?trainerId=${next}`);
    assertStringIncludes(change, "So do 10,000+ waiting sign-ups.");
    assertStringIncludes(change, "An assignment to the new trainer that was ended stays ended.");
    assertStringIncludes(await page(HOME), ">10,000+<");
  });

  it("keep the id of a trainer who is not a member", async () => {
    const nobody = newId();
    const asked = await get(service, `${HOME}/trainers?q=${nobody.toUpperCase()}`, cookie);
    const text = await asked.text();
    assertEquals(asked.status, 200);
    assertStringIncludes(text, `value="${nobody.toUpperCase()}"`);
    assertStringIncludes(textOfPage(text), "No trainer is found");
    assertEquals(
      locationOf(await get(service, `${HOME}/trainers?q=${member}`, cookie)),
      `${HOME}/trainers/${member}`,
    );
  });

  it("that end an assignment which has already ended say so, and fill in no trainer", async () => {
    const trainer = await addMember();
    await endAssignment(service.sql, DEFAULT_TRAINER_ID, member);
    await service.sql`select assignment.assign_member(${member}, ${trainer})`;
    await endAssignment(service.sql, trainer, member);
    const ended = await post(service, `${HOME}/members/${member}/end`, cookie, { trainerId: trainer });
    assertEquals(ended.status, 303);
    const text = await page(locationOf(ended));
    assertStringIncludes(text, "That assignment had already ended.");
    assertEquals(text.includes(`value="${trainer}"`), false);
    assertStringIncludes(text, `value="${DEFAULT_TRAINER_ID}"`); // as ever: the one who is meant most likely
  });

  it("that meet a locked row say so, and keep what was typed", async () => {
    const trainer = await addMember();
    const other = await addMember();
    await service.sql.begin(async (transaction) => {
      await transaction`select from public.members where id = ${other} for update`;
      const refused = await post(service, `${HOME}/members/${other}/assign`, cookie, {
        trainerId: trainer,
        notes: "asked for her",
      });
      const text = await refused.text();
      assertEquals(refused.status, 422);
      assertStringIncludes(text, "another session held the row. Nothing was changed");
      assertStringIncludes(text, `value="${trainer}"`);
      assertStringIncludes(text, 'value="asked for her"');
    });
  });

  it("that meet a trainer without room offer to assign anyway, with what was typed", async () => {
    const trainer = await addMember();
    for (
      const [capacity, accepts, why] of [
        [0, true, "has 0 clients, and a capacity of 0"],
        [1, true, "has 1 client, and a capacity of 1"],
        [null, false, "takes no new clients"],
      ] as const
    ) {
      const client = await addMember();
      await setCapacity(service.sql, trainer, capacity, accepts);
      const typed = { trainerId: trainer.toUpperCase(), notes: 'asked "for" her' };
      const refused = await post(service, `${HOME}/members/${client}/assign`, cookie, typed);
      const text = await refused.text();
      assertEquals(refused.status, 422);
      assertStringIncludes(text, "The trainer has no room. Nobody was assigned.");
      assertStringIncludes(textOfPage(text), why);
      const [anyway, ...others] = findForms(text).filter(({ fields }) => fields.force !== undefined);
      assertEquals([anyway, others], [{
        action: `${HOME}/members/${client}/assign`,
        fields: { ...typed, trainerId: trainer, force: "true" },
      }, []]);
      assertEquals(await clientsOf(trainer, client), []);

      const forced = await post(service, anyway?.action ?? "", cookie, anyway?.fields);
      assertEquals(locationOf(forced), `${HOME}/members?q=${client}&notice=assigned`);
      assertEquals(await clientsOf(trainer, client), [{ notes: typed.notes }]);
      const [logged] = service.logged.filter(({ memberId }) => memberId === client);
      assertEquals([logged?.event, logged?.force], ["client_assigned", true]);
    }
    const plain = await page(`${HOME}/members?q=${member}`);
    assertEquals(plain.includes("force"), false);
  });

  const clientsOf = async (trainer: string, client: string) => [
    ...await service.sql`
      select notes from public.trainer_client_assignments
      where trainer_id = ${trainer} and client_id = ${client} and status = 'active'
    `,
  ];

  it("sent after the session has ended say that nothing was done, and lead back to their page", async () => {
    const ended = await signIn(service);
    await post(service, "/admin/logout", ended);
    const asked = await get(service, `${HOME}/runs`, ended);
    assertEquals(
      locationOf(asked),
      `/admin/login?next=${encodeURIComponent(`${HOME}/runs`)}&notice=session_ended`,
    );
    const signInPage = await get(service, locationOf(asked), ended);
    assertStringIncludes(await signInPage.text(), "Your session has ended. Sign in again to continue.");

    const from = `${HOME}/members?q=${member}`;
    const sent = await service.app.request(`${HOME}/members/${member}/assign`, {
      method: "POST",
      headers: { cookie: ended, "sec-fetch-site": "same-origin", referer: `http://localhost${from}` },
      body: new URLSearchParams({ trainerId: DEFAULT_TRAINER_ID }),
    });
    const next = new URL(locationOf(sent), "http://localhost").searchParams;
    assertEquals([next.get("next"), next.get("notice")], [from, "form_not_sent"]);
    const again = await get(service, locationOf(sent), ended);
    assertStringIncludes(await again.text(), "Your session had ended, so nothing was done.");
  });

  it("say nothing of a session to somebody who had none", async () => {
    assertEquals(
      locationOf(await get(service, HOME, "")),
      `/admin/login?next=${encodeURIComponent(HOME)}`,
    );
  });
});
