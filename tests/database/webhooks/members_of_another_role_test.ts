import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { migrateUp } from "../../../src/database/migrate.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { checkHook, eventOf, take } from "../../support/taken_events.ts";

describe("an event for members that belong to the application's own role", () => {
  let database: TestDatabase;
  const sessions: Sql[] = [];
  const names = { application: "", owner: "", service: "" };
  const password = crypto.randomUUID();
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    const { sql, name } = database;
    for (const role of ["application", "owner", "service"] as const) {
      names[role] = `${name}_${role}`;
      await sql.unsafe(`create role ${names[role]} login password '${password}'`);
    }
    await sql`alter database ${sql(name)} owner to ${sql(names.application)}`;
    await as("application").unsafe(`
      create table public.members (id uuid primary key, email text, display_name text);
      grant create on database ${name} to ${names.owner};
      grant usage, create on schema public to ${names.owner};
      grant references, trigger on public.members to ${names.owner};
      grant select on public.members to ${names.owner} with grant option;
    `);
    await migrateUp(urlOf("owner"));
    await as("owner")`select assignment.grant_service(${names.service})`;
  });
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => closeDatabase(session, 1)));
    for (const role of Object.values(names)) await database.sql`drop owned by ${database.sql(role)} cascade`;
    await database.sql`alter database ${database.sql(database.name)} owner to current_user`;
    for (const role of Object.values(names)) await database.sql`drop role ${database.sql(role)}`;
    await database.drop();
  });

  const urlOf = (role: keyof typeof names) =>
    Object.assign(new URL(database.url), { username: names[role], password }).href;

  function as(role: keyof typeof names): Sql {
    const session = openDatabase(urlOf(role), { max: 1, applicationName: "test session" });
    sessions.push(session);
    return session;
  }

  /** Runs the statement that a detail tells to run, as the application's role. */
  async function follow(detail: string) {
    const [, statement = ""] = /run as the owner of public\.members: (.+?)(?:;|$)/.exec(detail) ?? [];
    await as("application").unsafe(statement);
  }

  it("needs a grant, which the failure and the health name, and is taken with it", async () => {
    const service = as("service");
    const event = eventOf();
    const taken = await take(service, event);
    const expected =
      "the owner of the functions may not insert members: run as the owner of public.members: " +
      `grant insert (id, email, display_name) on public.members to ${names.owner}`;
    assertEquals(taken.outcome === "refused" && [taken.reason, taken.detail], ["not_granted", expected]);
    const { status, detail } = await checkHook(service);
    assertEquals(status, "degraded");
    assertStringIncludes(detail, expected);
    await follow(expected);
    assertEquals((await take(service, event)).outcome, "created");
    assertEquals((await checkHook(service)).status, "ok");
  });

  it("needs a policy where row-level security is on, which both name, and is taken with it", async () => {
    const service = as("service");
    await as("application").unsafe(`
      grant insert on public.members to ${names.owner};
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
    const service = as("service");
    const event = eventOf();
    await as("application").unsafe(`
      grant insert on public.members to ${names.owner};
      insert into public.members (id) values ('${event.memberId}');
      alter table public.members enable row level security;
      create policy owner_inserts on public.members for insert to ${names.owner} with check (true);
    `);
    const taken = await take(service, event);
    assertEquals(taken.outcome === "refused" && taken.reason, "not_granted");
  });
});
