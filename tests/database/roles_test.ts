import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { startBackgroundWork } from "../../src/commands/background.ts";
import { hasEnded } from "../../src/runs/progress.ts";
import { getRun, startBackfill } from "../../src/runs/runs.ts";
import { reconcile } from "../../src/runs/schedule.ts";
import { readThroughput } from "../../src/runs/throughput.ts";
import type { Sql } from "../../src/database/sql.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { listMemberHistory } from "../../src/assignments/member_history.ts";
import { findMembersByEmail } from "../../src/assignments/member_lookup.ts";
import { readAssignmentState } from "../../src/operation/assignment_state.ts";
import { countCoverage, estimateCoverage } from "../../src/operation/coverage.ts";
import {
  assignNewUserToTrainer,
  DEFAULT_TRAINER_ID,
  isUserAssignedToTrainer,
} from "../../src/trainer_assignment.ts";
import { assertAssigned, newId } from "../support/assignments.ts";
import { type OwnedDatabase, ownedDatabase } from "../support/owned_database.ts";
import { withoutTrigger } from "../support/members.ts";

describe("the three roles", () => {
  let database: OwnedDatabase;
  beforeEach(async () => {
    database = await ownedDatabase({ withService: true });
  });
  afterEach(() => database.drop());

  it("are not superusers", async () => {
    const rows = await database.sql`
      select rolname from pg_roles
      where rolname in (${database.ownerName}, ${database.inserterName}, ${database.serviceName})
        and not (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication)
    `;
    assertEquals(rows.length, 3);
  });

  it("let the service read, and write only by functions", async () => {
    const rights = await database.sql<{ what: string }[]>`
      select distinct privilege as what
      from pg_class c
      cross join unnest(array['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege
      where c.relnamespace in ('public'::regnamespace, 'assignment'::regnamespace)
        and c.relkind in ('r', 'v')
        and has_table_privilege(${database.serviceName}, c.oid, privilege)
      union all
      select 'create in ' || nspname
      from pg_namespace
      where nspname in ('public', 'assignment')
        and has_schema_privilege(${database.serviceName}, oid, 'create')
      union all
      select 'create in the database'
      where has_database_privilege(${database.serviceName}, current_database(), 'create')
      union all
      select 'read ' || attname
      from pg_attribute
      where attrelid = 'public.members'::regclass
        and attnum > 0
        and has_column_privilege(${database.serviceName}, attrelid, attnum, 'select')
      order by what
    `;
    assertEquals(rights.map(({ what }) => what), ["read display_name", "read email", "read id"]);
  });

  it("refuse the service every statement that bypasses the functions", async () => {
    const service = database.newService();
    for (
      const statement of [
        "insert into public.members (id) values (gen_random_uuid())",
        "update assignment.settings set policy_version = 1",
        "delete from public.trainer_client_assignments",
        "delete from assignment.failures",
        "alter table public.members disable trigger all",
        "create table public.mine ()",
        "drop function assignment.backfill_step(uuid)",
        "select assignment.assign_members(null, '{}', '{}')",
        "select assignment.grant_service(current_user)",
        `set role ${database.ownerName}`,
      ]
    ) {
      const error = await assertRejects(() => service.unsafe(statement), postgres.PostgresError);
      assertEquals(error.code, "42501", statement);
    }
  });

  it("refuse the inserter everything but its insert", async () => {
    const inserter = database.newInserter();
    const id = newId();
    await inserter`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
    for (
      const statement of [
        "select id from public.members",
        "delete from public.members",
        "select 1 from public.trainer_client_assignments",
        "select 1 from assignment.settings",
        "select assignment.default_trainer_id()",
      ]
    ) {
      const error = await assertRejects(() => inserter.unsafe(statement), postgres.PostgresError);
      assertEquals(error.code, "42501", statement);
    }
  });

  it("let the service do all of its background work", async () => {
    const service = database.newService();
    const [late, failed] = [newId(), newId()];
    await withoutTrigger(
      database.sql,
      (transaction) => transaction`insert into public.members (id) values (${late})`,
    );
    await database
      .owner`insert into assignment.failures (member_id, sqlstate, message, source, next_attempt_at)
      values (${failed}, '55P03', 'locked', 'trigger', now())`;
    await withoutTrigger(
      database.sql,
      (transaction) => transaction`insert into public.members (id) values (${failed})`,
    );

    const work = startBackgroundWork({ sql: service, log: silentLogger }, {
      backfillLanes: 1,
      backfillMaxReplicaLagMs: 10_000,
      backfillRestRatio: 0,
      reconcileCron: "0 0 1 1 *",
    });
    const dry = await untilEnded(
      service,
      (await startBackfill(service, { dryRun: true, requestedBy: "ops" })).id,
    );
    const { runId } = await reconcile(service, new Date("2026-01-01T00:00:00Z"));
    const run = await untilEnded(service, runId ?? "");
    await work.stop();

    assertEquals([dry.status, run.status], ["succeeded", "succeeded"]);
    assertEquals(await isUserAssignedToTrainer(service, late), true);
    assertEquals(await isUserAssignedToTrainer(service, failed), true);
    assertEquals([...await database.owner`select from assignment.failures`], []);
  });

  it("let the service read what its pages and its health show", async () => {
    const service = database.newService();
    const id = newId();
    await database.owner`insert into public.members (id, email) values (${id}, 'a@example.com')`;
    assertEquals((await checkHealth(service)).status, "ready");
    assertEquals((await readAssignmentState(service)).trigger.isFine, true);
    assertEquals((await countCoverage(service, DEFAULT_TRAINER_ID)).assigned, 1);
    await estimateCoverage(service, DEFAULT_TRAINER_ID);
    assertEquals(await readThroughput(service, newId()), null);
    assertEquals((await findMembersByEmail({ sql: service }, "a@example.com"))?.map((member) => member.id), [
      id,
    ]);
    assertEquals((await listMemberHistory(service, id, { limit: 10 })).length, 1);
    assertEquals(await assignNewUserToTrainer(service, id), { assigned: true, failure: null });
  });

  it("say what to do if the owner of the functions may not grant rights on the members", async () => {
    await database.sql`alter table public.members owner to ${database.sql(database.inserterName)}`;
    await database.sql`revoke all on public.members from ${database.sql(database.serviceName)}`;
    const error = await assertRejects(
      () => database.owner`select assignment.grant_service(${database.serviceName})`,
      postgres.PostgresError,
    );
    assertMatch(error.hint ?? "", /grant select \(id\) on public\.members to /);
  });
});

async function untilEnded(sql: Sql, runId: string) {
  for (;;) {
    const run = await getRun(sql, runId);
    if (hasEnded(run)) return run;
  }
}
