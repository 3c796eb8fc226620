/** Members whom an identity provider announces, on a cluster, with the rights of the service's role alone. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../src/database/sql.ts";
import { isUserAssignedToTrainer } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { checkHook, eventOf, take } from "../support/taken_events.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";

describe("an event of an identity provider, on a cluster,", () => {
  let database: CitusDatabase;
  let service: Sql;
  beforeAll(async () => {
    database = await citusDatabase();
    service = await database.newServicePool();
  });
  afterAll(() => database?.drop());

  const reasonOf = async (event: ReturnType<typeof eventOf>) => {
    const taken = await take(service, event);
    return "reason" in taken && taken.reason !== null ? taken.reason : taken.outcome;
  };

  it("makes a member, who has a trainer, once", async () => {
    const memberId = newId();
    const event = eventOf({ memberId });
    const taken = await take(service, event);
    assertEquals([taken.outcome, (await take(service, event)).outcome], ["created", "duplicate"]);
    assertEquals(await isUserAssignedToTrainer(service, memberId), true);
    assertEquals((await take(service, eventOf({ memberId }))).outcome, "known");
    assertEquals((await checkHook(service)).status, "ok");
  });

  it("says which value is missing, and which column the hook does not fill", async () => {
    const { sql } = database;
    await sql`update public.members set email = ''  where email is null`;
    await sql`alter table public.members alter column email set not null`;
    assertEquals(await reasonOf(eventOf({ email: null })), "value_missing");
    await sql`alter table public.members alter column email drop not null`;

    await sql`alter table public.members add column tenant text`;
    await sql`update public.members set tenant = ''`;
    await sql`alter table public.members alter column tenant set not null`;
    assertStringIncludes(
      (await checkHook(service)).detail,
      "the hook does not fill the column tenant of members",
    );
    const event = eventOf();
    assertEquals(await reasonOf(event), "column_missing");
    await sql`alter table public.members alter column tenant set default 'north'`;
    assertEquals(await reasonOf(event), "created");
  });
});
