import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { DEFAULT_MEMBER_COLUMNS } from "../../../src/config/member_columns.ts";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { migrateUp } from "../../../src/database/migrate.ts";
import { exportMember } from "../../../src/history/member_export.ts";
import { checkHealth } from "../../../src/operation/health.ts";
import { describeMemberHook, findMemberHookState } from "../../../src/operation/member_hook.ts";
import { takeMemberEvent } from "../../../src/webhooks/in/take_event.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { testHook } from "../../support/member_events.ts";
import { type OwnedDatabase, ownedDatabase } from "../../support/owned_database.ts";

function eventOf(values: Partial<Parameters<typeof takeMemberEvent>[2]> = {}) {
  return {
    id: `msg_${newId()}`,
    type: "user.created",
    memberId: newId(),
    name: "Anna",
    email: `${newId()}@example.com`,
    ...values,
  };
}

const take = (sql: Sql, event: ReturnType<typeof eventOf>) =>
  takeMemberEvent(sql, DEFAULT_MEMBER_COLUMNS, event);

async function checkHook(sql: Sql) {
  return describeMemberHook(await findMemberHookState(sql, testHook(), DEFAULT_MEMBER_COLUMNS));
}

/** Tells in which tables, the audit log's among them, any row holds a text. */
async function findText(sql: Sql, text: string): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name
    from pg_class c
    where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'assignment'::regnamespace)
    order by 1
  `;
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await sql.unsafe(`select from ${name} as t where t::text like '%' || $1 || '%' limit 1`, [
      text,
    ]);
    if (rows.length > 0) found.push(name);
  }
  return found;
}

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
