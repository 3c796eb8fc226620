import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { startBackfill } from "../../src/runs/runs.ts";
import { assignClientToTrainer } from "../../src/trainer_assignment.ts";
import { createEndpoint } from "../../src/webhooks/endpoints.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { addUnseenMembers, withoutTrigger } from "../support/members.ts";
import { newIds } from "../support/assignments.ts";
import { plansOf } from "../support/notices.ts";

describe("a function that rules out a kind of plan", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  // Before PostgreSQL 18 a plan that has to do so all the same costs ten billion, and compiling it takes seconds.
  it("compiles none, however much it seems to cost", async () => {
    const functions = await database.sql<{ name: string; compiles: boolean }[]>`
      select proname as name, not 'jit=off' = any (proconfig) as compiles
      from pg_proc
      where pronamespace = 'assignment'::regnamespace and array_to_string(proconfig, ' ') like '%enable_%'
      order by name
    `;
    assertGreater(functions.length, 0);
    assertEquals(functions.filter(({ compiles }) => compiles), []);
  });

  it("compares all members with all assignments at once in the proof of a run by the policy", async () => {
    const plans = await plansOf(
      database.url,
      "select from assignment.find_undecided_members(1, 'ffffffff-ffff-ffff-ffff-ffffffffffff')",
    );
    const [plan = ""] = plans.filter((text) => text.includes("policy_version"));
    assertMatch(plan, /Anti Join/);
    assertEquals(plan.includes("SubPlan"), false, plan);
  });

  it("of a trigger joins nothing of what a statement changed: it is made once a session, for few rows perhaps", async () => {
    const { sql, url } = database;
    await createEndpoint(sql, {
      id: crypto.randomUUID(),
      types: ["assignments.created", "assignments.ended", "assignment.failed"],
    }, "ops");
    const plans = await plansOf(
      url,
      `insert into public.members default values;
       update public.trainer_client_assignments set status = 'inactive';
       update public.trainer_client_assignments set status = 'active', ended_at = null;
       delete from public.trainer_client_assignments;
       delete from public.members where id <> (select default_trainer_id from assignment.settings)`,
    );
    const ofTriggers = plans.filter((plan) => /from (old|new)_rows/.test(plan));
    assertGreater(ofTriggers.length, 10);
    assertEquals(ofTriggers.filter((plan) => /Nested Loop|Join/.test(plan)), []);
  });

  it("checks foreign keys by their index, in a session too that did so while members had few rows", async () => {
    const { sql, url } = database;
    const few = newIds(6); // so many that the plan is kept
    const session = openDatabase(url, { max: 1, applicationName: "long-lived" });
    await withoutTrigger(
      sql,
      (transaction) => transaction`insert into public.members (id) select unnest(${few}::uuid[])`,
    );
    await sql`vacuum analyze public.members`; // without it a table counts as one of ten pages at least
    for (const member of few) await assignClientToTrainer(session, member);
    await addUnseenMembers(sql, 2000);
    const run = await startBackfill(session, { requestedBy: "test", batchRows: 500 });
    const [{ read }] = await session.begin(async (transaction) => {
      await transaction`select from assignment.backfill_step(${run.id})`;
      return await transaction<[{ read: number }]>`
        select seq_tup_read as read from pg_stat_xact_user_tables where relid = 'public.members'::regclass
      `;
    });
    await closeDatabase(session, 1);
    assertGreater(5_000, read); // once at the start of the run, to count them; not once for each of 500
  });

  it("reads the messages to forget by their age, and what a disabled endpoint may get by its tests", async () => {
    const plans = await plansOf(
      database.url,
      `select assignment.tend_outbox(); select assignment.take_deliveries(gen_random_uuid(), 10)`,
    );
    const ofMessages = plans.filter((plan) => /order by m\.at|is_test_for =/.test(plan));
    assertEquals(ofMessages.length, 3);
    for (const plan of ofMessages) assertMatch(plan, /Index Scan (using|on) outbox_(at|tests)_idx/);
    assertEquals(ofMessages.filter((plan) => /SubPlan/.test(plan)), []);
  });
});

describe("every function", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it("looks at the temporary schema last, where any caller can put a name", async () => {
    const functions = await database.sql<{ name: string }[]>`
      select p.oid::regprocedure::text as name
      from pg_proc p
      where p.pronamespace = 'assignment'::regnamespace
        and p.proname not in ('count_turns', 'rendezvous_score', 'retry_after', 'uuid_v7') -- inlined; they read built-in functions only
        and not exists (
          select from unnest(p.proconfig) as setting where setting ~ '^search_path=.*(^|[=, ])pg_temp$'
        )
    `;
    assertEquals(functions.map(({ name }) => name), []);
  });

  it("that announces or tells of an application's change waits a bounded time for a lock", async () => {
    const functions = await database.sql<{ name: string }[]>`
      select p.proname as name
      from pg_proc p
      where p.pronamespace = 'assignment'::regnamespace
        and p.prorettype = 'trigger'::regtype
        and p.prosecdef
        and not exists (select from unnest(p.proconfig) as setting where setting like 'lock_timeout=%')
    `;
    assertEquals(functions.map(({ name }) => name), []);
  });
});
