import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateUp } from "../../../src/database/migrate.ts";
import { type ForeignDatabase, foreignDatabase } from "../../support/foreign_database.ts";
import { checkHook, eventOf, take } from "../../support/taken_events.ts";

describe("an event for members that belong to the application's own role", () => {
  let database: ForeignDatabase;
  beforeEach(async () => {
    database = await foreignDatabase("id uuid primary key, email text, display_name text");
    await migrateUp(database.urlOf("owner"));
    await database.as("owner")`select assignment.grant_service(${database.names.service})`;
  });
  afterEach(() => database.drop());

  /** Runs the statement that a detail tells to run, as the application's role. */
  async function follow(detail: string) {
    const [, statement = ""] = /run as the owner of public\.members: (.+?)(?:;|$)/.exec(detail) ?? [];
    await database.as("application").unsafe(statement);
  }

  it("needs a grant, which the failure and the health name, and is taken with it", async () => {
    const service = database.as("service");
    const event = eventOf();
    const taken = await take(service, event);
    const expected =
      "the owner of the functions may not insert members: run as the owner of public.members: " +
      `grant insert (id, email, display_name) on public.members to ${database.names.owner}`;
    assertEquals(taken.outcome === "refused" && [taken.reason, taken.detail], ["not_granted", expected]);
    const { status, detail } = await checkHook(service);
    assertEquals(status, "degraded");
    assertStringIncludes(detail, expected);
    await follow(expected);
    assertEquals((await take(service, event)).outcome, "created");
    assertEquals((await checkHook(service)).status, "ok");
  });

  it("needs a policy where row-level security is on, which both name, and is taken with it", async () => {
    const service = database.as("service");
    await database.as("application").unsafe(`
      grant insert on public.members to ${database.names.owner};
      alter table public.members enable row level security;
      create policy all_see on public.members for select using (true);
    `);
    const event = eventOf();
    const taken = await take(service, event);
    assertEquals(taken.outcome === "refused" && taken.reason, "not_granted");
    const { detail } = await checkHook(service);
    assertStringIncludes(detail, "row-level security refuses members of the hook");
    await follow(taken.outcome === "refused" ? taken.detail : "");
    assertEquals((await take(service, event)).outcome, "created");
    assertEquals((await checkHook(service)).status, "ok");
  });

  it("about a member whom row-level security hides is refused, not taken for lost", async () => {
    const service = database.as("service");
    const event = eventOf();
    await database.as("application").unsafe(`
      grant insert on public.members to ${database.names.owner};
      insert into public.members (id) values ('${event.memberId}');
      alter table public.members enable row level security;
      create policy owner_inserts on public.members for insert to ${database.names.owner} with check (true);
    `);
    const taken = await take(service, event);
    assertEquals(taken.outcome === "refused" && taken.reason, "not_granted");
  });
});
