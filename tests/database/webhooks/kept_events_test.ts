import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { exportMember } from "../../../src/history/member_export.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { eventOf, findText, take } from "../../support/taken_events.ts";

describe("what is kept of events", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  const failures = async () => (await database.sql`select from assignment.member_hook_failures`).length;

  it("leaves nothing of a member who is deleted", async () => {
    const { sql } = database;
    const [taken, failed] = [eventOf(), eventOf()];
    await take(sql, taken);
    await sql`alter table public.members add constraint no_anna check (display_name <> 'Anna') not valid`;
    await take(sql, failed);
    await sql`alter table public.members drop constraint no_anna`;
    await sql`insert into public.members (id) values (${failed.memberId})`;
    const { eventFailures } = JSON.parse(
      (await Array.fromAsync(exportMember(sql, failed.memberId ?? ""))).join(""),
    );
    assertEquals(eventFailures.map((failure: { eventId: string }) => failure.eventId), [failed.id]);
    assertEquals(
      (await findText(sql, failed.memberId ?? "")).includes("assignment.member_hook_failures"),
      true,
    );
    await sql`delete from public.members where id in ${sql([taken.memberId, failed.memberId])}`;
    for (const text of [taken.memberId, taken.email, failed.memberId, failed.email]) {
      assertEquals(await findText(sql, text ?? ""), []);
    }
  });

  it("goes by the nightly run when the member came by another way", async () => {
    const { sql } = database;
    const failed = eventOf({ email: "taken@example.com" });
    await sql`create unique index the_email on public.members (email)`;
    await take(sql, eventOf({ email: "taken@example.com" }));
    await take(sql, failed);
    await sql`insert into public.members (id) values (${failed.memberId})`;
    assertEquals(await failures(), 1);
    await sql`select assignment.reconcile(now() - interval '1 day')`;
    assertEquals(await failures(), 0);
  });

  it("goes after 30 days: by the next event, and by the nightly reconciliation", async () => {
    const { sql } = database;
    const age = async () => {
      await sql`update assignment.member_hook_events set received_at = now() - interval '31 days'`;
      await sql`update assignment.member_hook_failures set last_failed_at = now() - interval '31 days'`;
    };
    const event = eventOf();
    await take(sql, event);
    await take(sql, eventOf({ memberId: null }));
    await age();
    const next = eventOf();
    await take(sql, next);
    assertEquals([...await sql`select id from assignment.member_hook_events`], [{ id: next.id }]);
    assertEquals(await failures(), 0);
    assertEquals((await take(sql, event)).outcome, "known"); // forgotten, and harmless

    await take(sql, eventOf({ memberId: null }));
    await age();
    await sql`select assignment.reconcile(now())`;
    assertEquals([...await sql`select from assignment.member_hook_events`].length, 0);
    assertEquals(await failures(), 0);
  });
});
