import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { setCapacity } from "../../support/policies.ts";
import { get, HOME, post, signIn } from "../admin_page.ts";
import { textOfPage } from "../page_text.ts";
import { type TestService, testService } from "../test_service.ts";

describe("the picker of the admin page", () => {
  let service: TestService;
  let cookie: string;
  let member: string;
  let anna: string;
  let otherAnna: string;
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
    [member, anna, otherAnna] = [
      await addMember("Somebody", "somebody@example.com"),
      await addMember("Anna Berg", "anna@example.com"),
      await addMember("Joanna <b>Bold</b>", "joanna@example.com"),
    ];
  });
  afterEach(() => service.stop());

  async function addMember(name: string | null, email: string | null): Promise<string> {
    const id = newId();
    await service.sql`insert into public.members (id, display_name, email) values (${id}, ${name}, ${email})`;
    return id;
  }

  const assign = (form: Record<string, string>) =>
    post(service, `${HOME}/members/${member}/assign`, cookie, form);
  const trainersOf = async () => {
    const rows = await service.sql<{ trainerId: string }[]>`
      select trainer_id from public.trainer_client_assignments
      where client_id = ${member} and status = 'active' and trainer_id <> ${DEFAULT_TRAINER_ID}
    `;
    return rows.map(({ trainerId }) => trainerId);
  };

  it("shows who was found for a part of a name, and changes nothing yet", async () => {
    const response = await assign({ trainerId: "anna", notes: "asked for her" });
    const html = await response.text();
    const text = textOfPage(html);
    assertEquals(response.status, 422);
    for (
      const shown of [
        "choose one of the members found",
        "Anna Berg",
        "anna@example.com",
        "Joanna <b>Bold</b>",
      ]
    ) {
      assertStringIncludes(text, shown);
    }
    assertEquals(html.includes("<b>Bold</b>"), false);
    assertStringIncludes(html, 'value="asked for her"');
    assertEquals(await trainersOf(), []);
  });

  it("takes who was chosen of those found", async () => {
    const chosen = { trainerId: "anna", "trainerId.searched": "anna", "trainerId.chosen": otherAnna };
    assertEquals((await assign(chosen)).status, 303);
    assertEquals(await trainersOf(), [otherAnna]);
  });

  it("takes an id as people paste it, and a whole name or e-mail that one member alone has", async () => {
    for (const text of [anna.toUpperCase(), `{${anna}}`, "ANNA@example.com", " anna berg "]) {
      assertEquals((await assign({ trainerId: text })).status, 303, text);
      assertEquals(await trainersOf(), [anna], text);
      await service.sql`delete from public.trainer_client_assignments where trainer_id = ${anna}`;
    }
  });

  it("asks which one where two have the same name", async () => {
    await addMember("Anna Berg", "another@example.com");
    assertEquals((await assign({ trainerId: "Anna Berg" })).status, 422);
    assertEquals(await trainersOf(), []);
  });

  it("does not take who was chosen for another text", async () => {
    const chosen = { trainerId: "joanna", "trainerId.searched": "anna", "trainerId.chosen": anna };
    const response = await assign(chosen);
    assertEquals(response.status, 422);
    assertStringIncludes(await response.text(), "joanna@example.com");
    assertEquals(await trainersOf(), []);
  });

  it("searches, and does nothing else, when Find is pressed", async () => {
    for (const trainerId of [anna, "anna@example.com", "anna", ""]) {
      const response = await assign({ trainerId, find: "trainerId", "trainerId.chosen": anna });
      assertEquals(response.status, 422, trainerId);
      const run = await post(service, `${HOME}/runs`, cookie, { trainerId, find: "trainerId" });
      assertEquals(run.status, 422, trainerId);
    }
    assertEquals(await trainersOf(), []);
    assertEquals([...await service.sql`select from assignment.backfill_runs`], []);
  });

  it("says that nobody is found, or that nobody was chosen", async () => {
    assertStringIncludes(await (await assign({ trainerId: "nobody" })).text(), "No member has such a name");
    assertStringIncludes(await (await assign({})).text(), "Choose a member: type a name");
  });

  it("suggests the default trainer by name for a member who does not have them", async () => {
    await service.sql`delete from public.trainer_client_assignments`;
    const html = await (await get(service, `${HOME}/members?q=${member}`, cookie)).text();
    assertStringIncludes(textOfPage(html), "Default trainer");
    assertEquals(
      (await assign({ "trainerId.searched": "", "trainerId.chosen": DEFAULT_TRAINER_ID })).status,
      303,
    );
  });

  it("starts a run for a trainer by name, and none without a choice", async () => {
    assertEquals((await post(service, `${HOME}/runs`, cookie, { trainerId: "anna" })).status, 422);
    assertEquals((await post(service, `${HOME}/runs`, cookie, { trainerId: "Anna Berg" })).status, 303);
    const runs = await service.sql<{ trainerId: string }[]>`select trainer_id from assignment.backfill_runs`;
    assertEquals(runs.map(({ trainerId }) => trainerId), [anna]);
  });

  it("finds the new default trainer by name", async () => {
    const found = await get(service, `${HOME}/default-trainer?trainer=anna`, cookie);
    assertEquals(found.status, 422);
    assertStringIncludes(await found.text(), "anna@example.com");
    const review = await get(
      service,
      `${HOME}/default-trainer?trainer=anna&trainer.searched=anna&trainer.chosen=${anna}`,
      cookie,
    );
    assertStringIncludes(await review.text(), "Change the default trainer?");
  });

  it("offers trainers first, with their room, and shows short ids", async () => {
    await setCapacity(service.sql, otherAnna, 3);
    const response = await get(service, `${HOME}/people?name=trainerId&text=ann`, cookie);
    const html = await response.text();
    assertEquals(response.status, 200);
    assert(html.indexOf(otherAnna) < html.indexOf(anna));
    assertStringIncludes(textOfPage(html), `${otherAnna.slice(0, 8)}, room for 3 of 3`);
    assertEquals((await get(service, `${HOME}/people?name=a"><script>&text=ann`, cookie)).status, 204);
    assertEquals((await get(service, `${HOME}/people?name=trainerId&text=%00`, cookie)).status, 204);
    assertEquals((await get(service, `${HOME}/people?name=trainerId&text=ann`, "")).status, 303);
  });

  it("lets the look-ups find by name", async () => {
    const members = await (await get(service, `${HOME}/members?q=anna`, cookie)).text();
    assertStringIncludes(members, "Members found");
    const one = await (await get(service, `${HOME}/members?q=berg`, cookie)).text();
    assertStringIncludes(one, "Assign now");
    await service.sql`select assignment.assign_member(${member}, ${anna})`;
    const trainers = textOfPage(await (await get(service, `${HOME}/trainers?q=ann`, cookie)).text());
    assertStringIncludes(trainers, "Anna Berg");
    assert(!trainers.includes("Joanna"));
    const only = await get(service, `${HOME}/trainers?q=anna%20berg`, cookie);
    assertEquals(only.headers.get("location"), `${HOME}/trainers/${anna}`);
  });

  it("says that a search was not of all members", async () => {
    await service.sql`
      insert into public.members (email) select 'm' || n from generate_series(1, 20001) as n
    `;
    const text = textOfPage(await (await get(service, `${HOME}/members?q=nobody`, cookie)).text());
    assertStringIncludes(text, "Only the first 20,000 members were searched.");
  });

  it("finds ids alone where the names are off", async () => {
    const other = await testService({ memberColumns: { name: null, email: null } });
    const cookie = await signIn(other);
    const text = textOfPage(await (await get(other, `${HOME}/members?q=anna`, cookie)).text());
    assertStringIncludes(text, "A member's id");
    assertStringIncludes(text, "look up members by id");
    await other.stop();
  });

  it("puts nothing that was typed into the log", async () => {
    await get(service, `${HOME}/people?name=trainerId&text=secret-name`, cookie);
    await assign({ trainerId: "secret-name" });
    await get(service, `${HOME}/members?q=secret-name@example.com`, cookie);
    assert(!JSON.stringify(service.logged).includes("secret-name"));
  });
});
