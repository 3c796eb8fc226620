import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../../src/database/sql.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import { testHook } from "../../support/member_events.ts";
import { type OwnedDatabase, ownedDatabase } from "../../support/owned_database.ts";
import { checkHook, eventOf, findText, take } from "../../support/taken_events.ts";

describe("an event that the members table", () => {
  let database: OwnedDatabase;
  let service: Sql;
  beforeEach(async () => {
    database = await ownedDatabase({ withService: true });
    service = database.newService();
  });
  afterEach(() => database.drop());

  const failures =
    async () => [...await service`select event_id, reason from assignment.member_hook_failures order by id`];

  it("takes makes a member as the owner of the functions, and the health is fine", async () => {
    const event = eventOf();
    assertEquals((await take(service, event)).outcome, "created");
    assertEquals(await checkHook(service), { status: "ok", detail: "takes events of the provider standard" });
    assertEquals(await failures(), []);
  });

  it("refuses for a column without a default is kept, and the health names the column before", async () => {
    await database.owner`delete from public.members`;
    await database.owner`alter table public.members add column tenant text not null`;
    const before = await checkHook(service);
    assertEquals(before.status, "degraded");
    assertStringIncludes(before.detail, "the hook does not fill the column tenant of members");
    const event = eventOf();
    const taken = await take(service, event);
    assertEquals([taken.outcome, "reason" in taken && taken.reason], ["refused", "column_missing"]);
    assertEquals(await failures(), [{ eventId: event.id, reason: "column_missing" }]);

    await database.owner`alter table public.members alter column tenant set default 'north'`;
    assertEquals((await take(service, event)).outcome, "created");
    assertEquals(await checkHook(service), { status: "ok", detail: "takes events of the provider standard" });
  });

  it("refuses for a missing e-mail address is of this event alone", async () => {
    await database.owner`alter table public.members alter column email set default ''`;
    await database.owner`update public.members set email = ''`;
    await database
      .owner`alter table public.members alter column email drop default, alter column email set not null`;
    assertEquals((await checkHook(service)).status, "ok");
    const taken = await take(service, eventOf({ email: null }));
    assertEquals("reason" in taken && taken.reason, "value_missing");
    assertEquals((await take(service, eventOf())).outcome, "created");
  });

  it("fills by a trigger is no reason for the health to complain", async () => {
    await database.owner.unsafe(`
      delete from public.members;
      alter table public.members add column tenant text not null;
      create function public.fill_tenant() returns trigger language plpgsql as $$
      begin new.tenant := 'north'; return new; end $$;
      create trigger fill_tenant before insert on public.members for each row execute function public.fill_tenant();
    `);
    assertEquals((await checkHook(service)).status, "ok");
    assertEquals((await take(service, eventOf())).outcome, "created");
  });

  it("passes to a trigger of the application finds that trigger's tables by the session's search_path", async () => {
    await database.owner.unsafe(`
      create table public.welcomes (member_id uuid, path text);
      create function public.welcome() returns trigger language plpgsql as $$
      begin insert into welcomes values (new.id, current_setting('search_path')); return new; end $$;
      create trigger welcome after insert on public.members for each row execute function public.welcome();
    `);
    const event = eventOf();
    assertEquals((await take(service, event)).outcome, "created");
    assertEquals([...await database.owner`select member_id, path from public.welcomes`], [{
      memberId: event.memberId,
      path: '"$user", public, pg_temp', // a temporary table of the caller's does not come first
    }]);
  });

  it("loses to a trigger of the application is kept with what happened, and none of its values", async () => {
    await database.owner.unsafe(`
      create function public.refuse() returns trigger language plpgsql as $$
      begin
        if new.display_name = 'Nobody' then return null; end if;
        raise exception 'no %', new.email;
      end $$;
      create trigger refuse before insert on public.members for each row execute function public.refuse();
    `);
    const event = eventOf();
    const raised = await take(service, event);
    assertEquals(raised.outcome === "refused" && [raised.reason, raised.detail], [
      "refused",
      "members refused the row (SQLSTATE P0001)",
    ]);
    assertEquals(await findText(database.sql, event.email ?? ""), []);
    const kept = await take(service, eventOf({ name: "Nobody" }));
    assertEquals(
      kept.outcome === "refused" && kept.detail,
      "a trigger or rule of the application kept the member out",
    );
    const { status, detail } = await checkHook(service);
    assertEquals(status, "degraded");
    assertStringIncludes(detail, "2 events of the last 24 hours could not be taken");
  });

  it("refuses by a constraint is kept with the constraint's name", async () => {
    await database
      .owner`alter table public.members add constraint name_is_short check (length(display_name) < 9)`;
    const taken = await take(service, eventOf({ name: "much too long" }));
    assertEquals(
      taken.outcome === "refused" && taken.detail,
      "members refused the row (SQLSTATE 23514, constraint name_is_short)",
    );
  });

  it("refuses for the e-mail address says so, however the address is unique", async () => {
    const { email } = eventOf();
    await take(service, eventOf({ email }));
    const unique = [
      "alter table public.members add constraint the_email unique (email)",
      "create unique index the_email on public.members (lower(email))",
      "create unique index the_email on public.members ((display_name is null), email)",
    ];
    for (const statement of unique) {
      await database.owner.unsafe(statement);
      const taken = await take(service, eventOf({ email }));
      assertEquals("reason" in taken && taken.reason, "email_taken", statement);
      await database.owner`alter table public.members drop constraint if exists the_email`;
      await database.owner`drop index if exists public.the_email`;
    }
    await database.owner`create unique index the_name on public.members (display_name)`;
    const taken = await take(service, eventOf());
    assertEquals("reason" in taken && taken.reason, "refused");
  });

  it("is locked raises, and is kept nowhere: the provider sends it again", async () => {
    const event = eventOf();
    await database.owner.begin(async (locker) => {
      await locker`lock table public.members in access exclusive mode`;
      const error = await assertRejects(() => take(service, event), postgres.PostgresError);
      assertEquals(error.code, "55P03");
    });
    assertEquals(await failures(), []);
    assertEquals((await take(service, event)).outcome, "created");
  });

  it("misses, or may not be asked about, is no reason for the health to fail", async () => {
    await database.sql`revoke execute on function assignment.find_member_hook_problems(name[]) from ${
      database.sql(database.serviceName)
    }`;
    assertStringIncludes((await checkHook(service)).detail, "not known: run deno task migrate");
    await database.owner`alter table public.members rename to people`;
    const { checks } = await checkHealth(service, { memberHook: testHook() });
    assertEquals(checks.memberHook.detail, "unknown while members is missing: see schema");
  });

  it("lacks is kept with what to do", async () => {
    await database.owner`alter table public.members rename column id to key`;
    const taken = await take(service, eventOf());
    assertEquals("reason" in taken && taken.reason, "table_unfit");
  });

  it("is written by the owner's functions alone", async () => {
    for (const table of ["member_hook_events", "member_hook_failures"]) {
      for (const statement of [`delete from assignment.${table}`, `truncate assignment.${table}`]) {
        const error = await assertRejects(() => service.unsafe(statement), postgres.PostgresError);
        assertEquals(error.code, "42501");
      }
    }
    const events = await assertRejects(
      () => service`select from assignment.member_hook_events`,
      postgres.PostgresError,
    );
    assertEquals(events.code, "42501");
  });
});
