import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { get, HOME, post, signIn } from "../admin_page.ts";
import { textOfPage } from "../page_text.ts";
import { type TestService, testService } from "../test_service.ts";

describe("trainers on the admin page", () => {
  let service: TestService;
  let cookie: string;
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
    await service.sql`insert into public.members (email) values ('one@example.com'), ('two@example.com')`;
  });
  afterEach(() => service.stop());

  const page = async (path: string) => textOfPage(await (await get(service, path, cookie)).text());
  const settings = `${HOME}/trainers/${DEFAULT_TRAINER_ID}/settings`;
  const trainers = async () => [
    ...await service
      .sql`select trainer_id, capacity, accepts_clients, note, updated_by from assignment.trainers`,
  ];

  it("are listed with their clients, capacity and room, and whether they get new ones", async () => {
    const row = `Default trainer ${DEFAULT_TRAINER_ID} 2`;
    assertStringIncludes(await page(`${HOME}/trainers`), `${row} no limit no limit Accepted`);
    await service
      .sql`select assignment.change_trainer(${DEFAULT_TRAINER_ID}, jsonb_build_object('capacity', 5::integer, 'acceptsClients', true::boolean), 'test')`;
    assertStringIncludes(await page(`${HOME}/trainers`), `${row} 5 3 Accepted`);
    await service
      .sql`select assignment.change_trainer(${DEFAULT_TRAINER_ID}, jsonb_build_object('capacity', 2::integer, 'acceptsClients', true::boolean), 'test')`;
    assertStringIncludes(await page(`${HOME}/trainers`), `${row} 2 0 Full`);
    await service
      .sql`select assignment.change_trainer(${DEFAULT_TRAINER_ID}, jsonb_build_object('capacity', 5::integer, 'acceptsClients', false::boolean), 'test')`;
    assertStringIncludes(await page(`${HOME}/trainers`), `${row} 5 3 Paused`);
  });

  it("are found by e-mail, and by an id that has no client yet", async () => {
    const [{ id }] = await service.sql<[{ id: string }]>`
      insert into public.members (email) values ('Coach@Example.com') returning id
    `;
    for (const query of ["coach@example.com", id]) {
      const found = await get(service, `${HOME}/trainers?q=${query}`, cookie);
      assertEquals([found.status, found.headers.get("location")], [303, `${HOME}/trainers/${id}`]);
    }
    assertStringIncludes(await page(`${HOME}/trainers?q=nobody@example.com`), "nobody@example.com");
    assertEquals((await get(service, `${HOME}/trainers/${newId()}`, cookie)).status, 404);
  });

  it("get a capacity, a pause and a note, which the page then shows", async () => {
    const saved = await post(service, settings, cookie, { capacity: "1", note: "on leave" });
    assertEquals(saved.status, 303);
    assertEquals(await trainers(), [
      {
        trainerId: DEFAULT_TRAINER_ID,
        capacity: 1,
        acceptsClients: false,
        note: "on leave",
        updatedBy: "ops",
      },
    ]);
    const text = await page(saved.headers.get("location") ?? "");
    for (
      const shown of [
        "settings were saved",
        "Capacity 1",
        "1 beyond the capacity",
        "Paused",
        "on leave",
        "Set by ops",
      ]
    ) {
      assertStringIncludes(text, shown);
    }
    assertEquals(service.logged.filter(({ event }) => event === "trainer_changed").length, 1);
    await post(service, settings, cookie, { acceptsClients: "true" });
    assertEquals(await trainers(), [
      { trainerId: DEFAULT_TRAINER_ID, capacity: null, acceptsClients: true, note: null, updatedBy: "ops" },
    ]);
  });

  it("keep what was typed when a capacity is no number", async () => {
    for (const capacity of ["many", "-1", "100001", "1.5"]) {
      const refused = await post(service, settings, cookie, { capacity, note: "as typed" });
      const html = await refused.text();
      assertEquals(refused.status, 422);
      assertStringIncludes(html, "Capacity must be a whole number from 0 to 100,000");
      assertStringIncludes(html, `value="${capacity}"`);
      assertStringIncludes(html, 'value="as typed"');
    }
    assertEquals(await trainers(), []);
  });

  it("without room are refused by name when somebody assigns by hand", async () => {
    await service
      .sql`select assignment.change_trainer(${DEFAULT_TRAINER_ID}, jsonb_build_object('capacity', 0::integer, 'acceptsClients', true::boolean), 'test')`;
    const [{ id }] = await service.sql<
      [{ id: string }]
    >`insert into public.members default values returning id`;
    const refused = await post(service, `${HOME}/members/${id}/assign`, cookie, {
      trainerId: DEFAULT_TRAINER_ID,
    });
    assertEquals(refused.status, 422);
    assertStringIncludes(textOfPage(await refused.text()), "The trainer has no room.");
  });
});
