/** What is set for a database or a role reaches every session. The service, migrations and signups work all the same. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { createApp } from "../../src/service.ts";
import { startBackfill } from "../../src/runs/runs.ts";
import { followRun } from "../../src/runs/follow.ts";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { migrateDown, migrateUp } from "../../src/database/migrate.ts";
import { openServicePools, type ServicePools } from "../../src/database/service_pools.ts";
import { DEFAULT_TRAINER_ID } from "../../src/assignments/default_trainer.ts";
import { requestInit, testTokens, TOKENS } from "../http/test_service.ts";
import { HOME } from "../http/admin_page.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { recordingLogger } from "../support/logs.ts";
import { addUnseenMembers } from "../support/members.ts";

/** Several at once, for they reach different things. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "how values are printed": {
    datestyle: "'German'",
    timezone: "'Asia/Kolkata'",
    intervalstyle: "'sql_standard'",
    bytea_output: "'escape'",
    extra_float_digits: "-15",
    quote_all_identifiers: "on",
    lc_messages: "'C'",
  },
  "how values are read": {
    datestyle: "'SQL, DMY'",
    client_encoding: "'LATIN1'",
    standard_conforming_strings: "off",
    backslash_quote: "off",
    xmloption: "'document'",
    array_nulls: "off",
    transform_null_equals: "on",
  },
  "transactions": {
    datestyle: "'Postgres, YMD'",
    default_transaction_isolation: "'serializable'",
    default_transaction_deferrable: "on",
    synchronous_commit: "off",
  },
  "time-outs": {
    statement_timeout: "'1ms'",
    lock_timeout: "'1ms'",
    idle_in_transaction_session_timeout: "'1ms'",
    idle_session_timeout: "'1ms'",
    exit_on_error: "on",
  },
  "names and functions": {
    search_path: "'nowhere'",
    check_function_bodies: "off",
    "plpgsql.extra_errors": "'all'",
    "plpgsql.variable_conflict": "'use_column'",
    client_min_messages: "'debug1'",
  },
  "plans": {
    search_path: "''",
    default_transaction_isolation: "'repeatable read'",
    plan_cache_mode: "'force_generic_plan'",
    enable_indexscan: "off",
    enable_seqscan: "off",
    jit_above_cost: "0",
    max_parallel_workers_per_gather: "0",
    constraint_exclusion: "on",
  },
};
/** They end a statement or a session of somebody else's, as they are meant to. */
const OF_THE_CALLER = "time-outs";

describe("settings of a database or a role", () => {
  let database: TestDatabase;
  let role: string;
  let roleUrl: string;
  beforeAll(async () => {
    database = await testDatabase();
    role = `${database.name}_service`;
    const url = Object.assign(new URL(database.serviceUrl), { username: role });
    roleUrl = url.href;
    await database.sql.unsafe(`create role ${role} superuser login password '${url.password}'`);
  });
  afterAll(async () => {
    await database.sql.unsafe(`drop role ${role}`);
    await database.drop();
  });

  for (const [name, settings] of Object.entries(SETTINGS)) {
    for (const whose of ["database", "role"] as const) {
      it(`of a ${whose}: ${name}`, async () => {
        const target = whose === "database" ? `database ${database.name}` : `role ${role}`;
        const url = whose === "database" ? database.serviceUrl : roleUrl;
        await set(database, target, settings);
        try {
          await useService(url);
          if (name !== OF_THE_CALLER) await signUpAlone(url);
          const { port } = new URL(database.url);
          const direct = Object.assign(new URL(url), { port }).href;
          assertEquals((await migrateDown(direct, { all: false })).length, 1);
          assertEquals((await migrateUp(direct)).length, 1);
        } finally {
          await database.sql.unsafe(`alter ${target} reset all`);
        }
      });
    }
  }

  it("do not hinder any migration, up or down", async () => {
    const fresh = await testDatabase({ migrated: false });
    for (const settings of Object.values(SETTINGS)) await set(fresh, `database ${fresh.name}`, settings);
    assert((await migrateUp(fresh.url)).length > 20);
    assert((await migrateDown(fresh.url, { all: true })).length > 20);
    await fresh.drop();
  });

  it("that stop writes are kept: writes get 503, and reads continue", async () => {
    await database.sql.unsafe(`alter database ${database.name} set default_transaction_read_only = on`);
    try {
      await withService(database.serviceUrl, async (call) => {
        const [memberId] = await someMember();
        const put = await call(`PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${memberId}`, {});
        assertEquals(put.status, 503);
        assertEquals((await call(`GET /v1/members/${memberId}/assignment`)).status, 200);
      });
    } finally {
      await database.sql.unsafe(`alter database ${database.name} reset default_transaction_read_only`);
    }
  });

  async function set(
    { sql }: TestDatabase,
    target: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<void> {
    for (const [name, value] of Object.entries(settings)) {
      await sql.unsafe(`alter ${target} set ${name} = ${value}`);
    }
  }

  async function someMember(): Promise<string[]> {
    const rows = await database.sql<{ id: string }[]>`
      insert into public.members (id) values (gen_random_uuid()) returning id
    `;
    return rows.map(({ id }) => id);
  }

  type Send = (path: string, init?: RequestInit) => Promise<Response>;
  type Call = (request: string, json?: unknown, headers?: Record<string, string>) => Promise<Response>;

  async function withService(
    url: string,
    use: (call: Call, send: Send, pools: ServicePools) => Promise<void>,
  ): Promise<void> {
    const pools = await openServicePools(url, {
      requestConnections: 3,
      statementTimeoutMs: 15_000,
      backfillLanes: 2,
    });
    const shutdown = new AbortController();
    const { fetch } = createApp({
      sql: pools.requests.sql,
      watchSql: pools.watch.sql,
      tokens: testTokens(),
      log: recordingLogger().log,
      shutdown: shutdown.signal,
    });
    const send: Send = async (path, init) =>
      await fetch(new Request(new URL(path, "http://localhost"), init));
    const call: Call = async (request, json, headers = {}) => {
      const [method = "GET", path = ""] = request.split(" ");
      return await send(
        path,
        requestInit(method, { headers, ...(json === undefined ? {} : { json }) }),
      );
    };
    try {
      await use(call, send, pools);
    } finally {
      shutdown.abort();
      await pools.close();
    }
  }

  async function useService(url: string): Promise<void> {
    const { sql } = database;
    await sql`truncate public.trainer_client_assignments, assignment.failures`;
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
    const [memberId = ""] = await someMember();
    const at = "2026-03-14T05:06:07.123Z";
    await sql`update public.trainer_client_assignments set assignment_date = ${at}::text::timestamptz`;
    await sql`
      insert into assignment.failures (member_id, sqlstate, message, source, first_failed_at)
      values (gen_random_uuid(), '23514', 'refused “é”', 'trigger', ${at}::text::timestamptz)
    `;
    await withService(url, async (call, send, { background }) => {
      const json = async (request: string, body?: unknown) => {
        const response = await call(request, body);
        const text = await response.text();
        assert(response.ok, `${request}: ${response.status} ${text}`);
        return text === "" ? undefined : JSON.parse(text);
      };
      const clients = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;
      assertEquals((await json(`GET /v1/members/${memberId}/assignment`)).assignment.assignmentDate, at);
      const check = { memberIds: [memberId, DEFAULT_TRAINER_ID] };
      const { results } = await json("POST /v1/assignments/check", check);
      assertEquals(results.map(({ assigned }: { assigned: boolean }) => assigned), [true, false]);
      assertEquals((await json(`GET ${clients}`)).clients[0].assignmentDate, at);
      for (const type of ["text/csv", "application/x-ndjson"]) {
        const text = await (await call(`GET ${clients}`, undefined, { Accept: type })).text();
        assert(text.includes(at), text);
      }
      assertEquals((await json("GET /v1/failures")).failures[0].firstFailedAt, at);
      const signedIn = await send("/admin/login", {
        method: "POST",
        headers: { "sec-fetch-site": "same-origin" },
        body: new URLSearchParams({ token: TOKENS.admin }),
      });
      const cookie = signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
      const page = await send(`${HOME}/failures`, { headers: { cookie } });
      assert((await page.text()).includes("2026-03-14 05:06:07 UTC"));
      assertEquals((await call(`DELETE ${clients}/${memberId}`)).status, 204);
      assertEquals((await call(`PUT ${clients}/${memberId}`, { notes: "it's “é” \\ '" })).status, 201);
      assertEquals((await json(`GET /v1/members/${memberId}/assignment`)).assignment.notes, "it's “é” \\ '");
      await sql`delete from assignment.failures`;
      await addUnseenMembers(sql, 300);
      const run = await startBackfill(background.sql, { trainerId: DEFAULT_TRAINER_ID, requestedBy: "test" });
      const ended = await followRun(background.sql, run, { lanes: 2 });
      assertEquals([ended.status, ended.successful, ended.failed], ["succeeded", 300, 0]);
      assertEquals((await json(`GET /v1/backfills/${run.id}`)).status, "succeeded");
      const ready = await json("GET /readyz");
      assertEquals([ready.status, JSON.stringify(ready.checks.trigger.status)], ["ready", '"ok"']);
      const metrics = await (await call("GET /metrics")).text();
      assert(metrics.includes("trainer_assignment_database_up 1"), metrics);
    });
  }

  /** In the session of an application that has these settings. */
  async function signUpAlone(url: string): Promise<void> {
    const session = openDatabase(url, { max: 1, applicationName: "test session" });
    const members = await session<{ id: string }[]>`
      insert into public.members (id) select gen_random_uuid() from generate_series(1, 3) returning id
    `;
    await closeDatabase(session);
    const [row] = await database.sql<[{ assigned: number }]>`
      select count(*) as assigned from public.trainer_client_assignments
      where client_id = any (${members.map(({ id }) => id)}::uuid[]) and source = 'trigger'
    `;
    assertEquals(row.assigned, 3);
  }
});
