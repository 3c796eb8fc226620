import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { migrateDown } from "../../src/database/migrate.ts";
import { checkHealth, type CheckName, type Health } from "../../src/operation/health.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { testHook } from "../support/member_events.ts";
import { refuseAssignments } from "../support/members.ts";
import { startTestServer } from "../support/servers.ts";

describe("health", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("is ready when nothing is wrong", async () => {
    assertEquals(await checkHealth(database.sql), {
      status: "ready",
      checks: {
        database: { status: "ok", detail: "answers" },
        migrations: { status: "ok", detail: "up to date" },
        schema: { status: "ok", detail: "complete" },
        trigger: { status: "ok", detail: "enabled" },
        defaultTrainer: { status: "ok", detail: "is a member" },
        policy: { status: "ok", detail: "its rules and trainers are in the database" },
        failures: { status: "ok", detail: "none waiting" },
        access: { status: "ok", detail: "the service sees every row, and nobody else may write them" },
        names: {
          status: "ok",
          detail:
            "read from display_name and email; without a trigram index on display_name and email searches look at the " +
            "first members only: see docs/adopting.md#names-of-members",
        },
        memberHook: { status: "ok", detail: "off: MEMBER_HOOK_SECRETS is not set" },
      },
    });
  });

  it("stays ready when the trigger is always enabled", async () => {
    await database.sql`alter table public.members enable always trigger members_assign_trainer_after_insert`;
    assertEquals((await checkHealth(database.sql)).status, "ready");
  });

  for (
    const [what, statement, check, detail] of [
      [
        "the trigger is disabled",
        "alter table public.members disable trigger members_assign_trainer_after_insert",
        "trigger",
        "disabled",
      ],
      ["all triggers are disabled", "alter table public.members disable trigger all", "trigger", "disabled"],
      [
        "the trigger only fires for replicas",
        "alter table public.members enable replica trigger members_assign_trainer_after_insert",
        "trigger",
        "disabled",
      ],
      [
        "a watched table's trigger is disabled",
        "create table public.people (id uuid primary key); select assignment.watch('public.people', 'id'); alter table public.people disable trigger mirror_members_after_insert",
        "trigger",
        "rows of public.people are not mirrored into members",
      ],
      [
        "the trigger is missing",
        "drop trigger members_assign_trainer_after_insert on public.members",
        "trigger",
        "missing",
      ],
      [
        "an index is invalid, as a concurrent build that failed leaves it",
        "update pg_index set indisvalid = false where indexrelid = 'public.trainer_client_assignments_active_key'::regclass",
        "schema",
        "index public.trainer_client_assignments_active_key is invalid; run: deno task migrate repair",
      ],
      [
        "the index that keeps assignments unique is missing",
        "drop index public.trainer_client_assignments_active_key",
        "schema",
        "index public.trainer_client_assignments_active_key is missing; run: deno task migrate repair",
      ],
      [
        "another table inherits from members",
        "create table public.premium_members (tier text) inherits (public.members)",
        "trigger",
        "does not fire for public.premium_members, which inherit from public.members",
      ],
      [
        "the default trainer is not a member",
        "delete from public.members",
        "defaultTrainer",
        "is not a member",
      ],
      [
        "no default trainer is configured",
        "delete from assignment.settings",
        "defaultTrainer",
        "is not a member",
      ],
    ] as const
  ) {
    it(`is degraded when ${what}`, async () => {
      await database.sql.unsafe(statement);
      assertOnlyDegraded(await checkHealth(database.sql), check, detail);
    });
  }

  it("is degraded when the members table was created anew, and names the trigger and both keys", async () => {
    await database.sql.unsafe(`
      drop table public.members cascade;
      create table public.members (id uuid primary key);
      insert into public.members select default_trainer_id from assignment.settings;
    `);
    const { status, checks } = await checkHealth(database.sql);
    assertEquals(status, "degraded");
    assertStringIncludes(checks.trigger.detail, "missing");
    assertStringIncludes(checks.schema.detail, "constraint trainer_client_assignments_client_id_fkey");
    assertStringIncludes(checks.schema.detail, "constraint trainer_client_assignments_trainer_id_fkey");
  });

  it("is degraded while a database's setting keeps an enabled trigger from firing", async () => {
    const { sql } = database;
    await sql`alter database ${sql(database.name)} set session_replication_role = replica`;
    const service = await database.newServicePool();
    assertOnlyDegraded(await checkHealth(service), "trigger", "session_replication_role = replica is set");

    await sql`alter table public.members enable always trigger members_assign_trainer_after_insert`;
    assertEquals((await checkHealth(service)).status, "ready");
  });

  it("is degraded while failures wait, and says how many and since when", async () => {
    await refuseAssignments(database.sql, "true");
    await database.sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 3)`;
    await database.sql`update assignment.failures set first_failed_at = '2026-01-02 03:04:05Z'`;
    assertOnlyDegraded(
      await checkHealth(database.sql),
      "failures",
      "3 waiting for a retry, the oldest since 2026-01-02T03:04:05.000Z",
    );
  });

  it("is ready while failures only wait for room, and says how many and since when", async () => {
    await recordFailures(database.sql, { TA011: 3 });
    const { status, checks } = await checkHealth(database.sql);
    assertEquals([status, checks.failures], [
      "ready",
      { status: "ok", detail: "3 wait for room, the oldest since 2026-01-02T03:04:05.000Z" },
    ]);
  });

  it("is degraded when one failure is for another reason, and tells it from those that wait for room", async () => {
    await recordFailures(database.sql, { TA011: 2, TA023: 1 });
    assertOnlyDegraded(
      await checkHealth(database.sql),
      "failures",
      "1 waiting for a retry, the oldest since 2026-01-02T03:04:05.000Z; besides, 2 wait for room, the oldest since",
    );
  });

  it("is degraded when migrations are behind, and says how many", async () => {
    await migrateDown(database.url, { all: false });
    assertOnlyDegraded(await checkHealth(database.sql), "migrations", "; run: deno task migrate");
  });

  it("is degraded in every check except the database's when it was never migrated", async () => {
    const empty = await testDatabase({ migrated: false });
    const { status, checks } = await checkHealth(empty.sql, { memberHook: testHook() });
    await empty.drop();
    assertEquals(status, "degraded");
    assertEquals(Object.values(checks).map((check) => check.status), ["ok", ...Array(9).fill("degraded")]);
  });

  it("is unavailable when the database cannot be reached", async () => {
    const sql = openDatabase("postgres://nobody@127.0.0.1:1/none", { max: 1, applicationName: "test" });
    const { status, checks } = await checkHealth(sql);
    await closeDatabase(sql, 1);
    assertEquals(status, "unavailable");
    assertEquals(checks.database, { status: "failed", detail: "the database does not answer" });
    assertEquals(new Set(Object.values(checks).map((check) => check.status)), new Set(["failed"]));
  });

  it("is unavailable with the SQLSTATE when the database refuses", async () => {
    const url = Object.assign(new URL(database.url), { pathname: "/no_such_database" }).href;
    const sql = openDatabase(url, { max: 1, applicationName: "test" });
    const { status, checks } = await checkHealth(sql);
    await closeDatabase(sql, 1);
    assertEquals([status, checks.database.detail], ["unavailable", "the database refuses, SQLSTATE 3D000"]);
  });

  it("is unavailable when the database does not answer in time", async () => {
    const session = database.newConnection();
    const sleep = session`select pg_sleep(4)`.execute();
    const { status, checks } = await checkHealth(session);
    assertEquals([status, checks.database.detail], ["unavailable", "the database does not answer"]);
    await sleep;
  });

  it("is degraded when the database answers, but not all in time", async () => {
    await database.sql`
      create or replace function assignment.own_tables() returns setof regclass language sql
      as $$ select 'pg_class'::regclass from pg_sleep(10) $$
    `;
    const { status, checks } = await checkHealth(database.sql);
    assertEquals(status, "degraded");
    assertMatch(
      checks.database.detail,
      /^answers, but its sessions are too slow to tell all within 3 s: see/,
    );
    assertEquals(new Set(Object.values(checks).map((check) => check.status)), new Set(["degraded"]));
  });

  it("is degraded, and says so at once, while a table is locked", async () => {
    await database.newConnection().begin(async (locker) => {
      await locker`lock table assignment.failures in access exclusive mode`;
      const { status, checks } = await checkHealth(database.sql);
      assertEquals([status, checks.database.status], ["degraded", "ok"]);
      assertMatch(checks.failures.detail, /^unknown: another session holds a table locked/);
    });
  });

  it("is only degraded, whichever of the tables is locked", async () => {
    const tables = await database.sql<{ name: string }[]>`
      select format('%I.%I', schemaname, tablename) as name
      from pg_catalog.pg_tables
      where schemaname = 'assignment'
        or (schemaname = 'public' and tablename in ('members', 'trainer_client_assignments'))
      order by name
    `;
    const statuses: Record<string, Health["status"]> = {};
    const other = await testDatabase(); // two at once, for a look mostly waits
    const names = tables.map(({ name }) => name);
    await Promise.all([database, other].map(async ({ sql, newConnection }) => {
      for (let name = names.shift(); name !== undefined; name = names.shift()) {
        await newConnection().begin(async (locker) => {
          await locker.unsafe(`lock table ${name} in access exclusive mode`);
          statuses[name] = (await checkHealth(sql)).status;
        });
      }
    }));
    await other.drop();
    assertEquals(statuses, Object.fromEntries(tables.map(({ name }) => [name, "degraded"])));
  });

  it("is only degraded when one table is missing while another is locked", async () => {
    await database.sql`drop table assignment.failures`;
    await database.newConnection().begin(async (locker) => {
      await locker`lock table public.trainer_client_assignments in access exclusive mode`;
      const { status, checks } = await checkHealth(database.sql);
      assertEquals([status, checks.database.status], ["degraded", "ok"]);
      assertMatch(checks.failures.detail, /^unknown: another session holds a table locked/);
    });
  });

  it("leaves no session that waits for a locked table", async () => {
    await database.newConnection().begin(async (locker) => {
      await locker`lock table assignment.failures in access exclusive mode`;
      await Promise.all([checkHealth(database.sql), checkHealth(database.sql)]);
      while ((await locker`select from pg_locks where not granted`).length > 0);
    });
  });

  it("answers again once the database is back", async () => {
    const server = await startTestServer();
    const sql = openDatabase(server.url, { max: 1, applicationName: "test" });
    try {
      const statuses = [(await checkHealth(sql)).checks.database.status];
      await server.stop();
      statuses.push((await checkHealth(sql)).checks.database.status);
      await server.start();
      statuses.push((await checkHealth(sql)).checks.database.status);
      assertEquals(statuses, ["ok", "failed", "ok"]);
    } finally {
      await closeDatabase(sql, 1);
      await server.remove();
    }
  });
});

function assertOnlyDegraded({ status, checks }: Health, name: CheckName, detail: string): void {
  assertEquals([status, checks[name].status], ["degraded", "degraded"]);
  assertStringIncludes(checks[name].detail, detail);
  assertEquals(Object.values(checks).filter((check) => check.status !== "ok").length, 1);
}

/** Records so many failures with each SQLSTATE, as if they had failed long ago. */
async function recordFailures(sql: Sql, counts: Record<string, number>): Promise<void> {
  for (const [sqlstate, count] of Object.entries(counts)) {
    await sql`
      insert into assignment.failures (member_id, sqlstate, message, source, first_failed_at)
      select gen_random_uuid(), ${sqlstate}, 'a test', 'trigger', '2026-01-02 03:04:05Z'
      from generate_series(1, ${count})
    `;
  }
}
