import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { listAuditLines } from "../../../src/history/audit_lines.ts";
import { endSession } from "../../../src/http/identity/ended_sessions.ts";
import { setDefaultTrainer } from "../../../src/policy/policies.ts";
import { changeTrainer } from "../../../src/policy/trainers.ts";
import { cancelRun, pauseRun, resumeRun, startBackfill, startTransfer } from "../../../src/runs/runs.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";
import { redeliver, sendTest } from "../../../src/webhooks/deliveries.ts";
import { changeEndpoint, createEndpoint, deleteEndpoint } from "../../../src/webhooks/endpoints.ts";
import { addressMessages } from "../../../src/webhooks/queue.ts";
import { addTrainers } from "../../support/policies.ts";

describe("a change and its line in the audit log", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string;
  let ben: string;
  let one: string;
  let two: string;
  let running: string;
  let paused: string;
  let webhook: string;
  let messageId: string;
  beforeAll(async () => {
    database = await testDatabase();
    sql = await database.newServicePool();
    [anna = "", ben = "", one = "", two = ""] = await addTrainers(database.sql, 4);
    await assignClientToTrainer(sql, one, { trainerId: anna });
    running = (await startBackfill(sql, { requestedBy: "ops", trainerId: anna })).id;
    paused = (await startBackfill(sql, { requestedBy: "ops", trainerId: ben })).id;
    await pauseRun(sql, paused, "ops");
    await refuseAssignments(database.sql, "true");
    await database.sql`insert into public.members default values`;
    await acceptAssignments(database.sql);
    webhook = crypto.randomUUID();
    await createEndpoint(sql, endpoint(webhook), "ops");
    messageId = await sendTest(sql, webhook, "ops");
    await addressMessages(sql);
    await database.sql.unsafe(`
      create function public.break_log() returns trigger language plpgsql as $$
      begin raise exception 'planted'; end $$;
      create trigger break_log before insert on assignment.audit_log for each row execute function public.break_log();
      alter table assignment.audit_log disable trigger break_log;
    `);
  });
  afterAll(() => database.drop());

  /** All that there is, but the log. */
  async function readState(): Promise<string> {
    const tables = await database.sql<{ name: string }[]>`
      select own::text as name
      from assignment.own_tables() as own
      where own::text not in ('assignment.audit_log', 'assignment.audit_subjects', 'assignment.schema_migrations')
    `;
    const parts = [];
    for (const { name } of tables) {
      const [row] = await database.sql`select md5(string_agg(t::text, ',' order by t::text)) as hash from ${
        database.sql.unsafe(name)
      } t`;
      parts.push(`${name} ${row?.hash}`);
    }
    return parts.join("\n");
  }

  /** Wants what no other change here announces, so that the triggers' state is all that else changes. */
  const endpoint = (id: string) => ({
    id,
    url: "http://127.0.0.1:9/",
    secret: "sealed",
    types: ["assignment.failed" as const],
  });
  const session = () => ({
    id: crypto.randomUUID(),
    name: "ops",
    role: "admin" as const,
    expiresAt: new Date(Date.now() + 60_000),
  });
  const changes: Record<string, () => Promise<unknown>> = {
    "policy.changed": () => setDefaultTrainer(sql, anna, "ops"),
    "trainer.changed": () => changeTrainer(sql, anna, { capacity: 9 }, "ops"),
    "assignment.made": () => assignClientToTrainer(sql, two, { trainerId: ben, actor: "ops" }),
    "assignment.ended": () => endAssignment(sql, anna, one, { actor: "ops" }),
    "failures.retried": () => retryFailures(sql, { by: "ops", forMs: 0 }),
    "run.paused": () => pauseRun(sql, running, "ops"),
    "run.resumed": () => resumeRun(sql, paused, "ops"),
    "run.cancelled": () => cancelRun(sql, running, "ops"),
    "run.started": () => startBackfill(sql, { requestedBy: "ops" }),
    "run.started ": () => startTransfer(sql, { fromTrainerId: anna, trainerId: ben, requestedBy: "ops" }),
    "webhook.created": () => createEndpoint(sql, endpoint(crypto.randomUUID()), "ops"),
    "webhook.changed": () => changeEndpoint(sql, webhook, { enabled: false, types: ["run.ended"] }, "ops"),
    "webhook.tested": () => sendTest(sql, webhook, "ops"),
    "webhook.redelivered": () => redeliver(sql, webhook, { messageId }, "ops"),
    "webhook.deleted": () => deleteEndpoint(sql, webhook, "ops"),
    "session.ended": () => endSession(sql, session(), "request"),
  };

  for (const [name, change] of Object.entries(changes)) {
    const action = name.trim();
    it(`come together or not at all: ${name === action ? action : `${action} by a transfer`}`, async () => {
      const before = await readState();
      await database.sql`alter table assignment.audit_log enable trigger break_log`;
      await assertRejects(change, Error, "planted");
      assertEquals(await readState(), before);
      await database.sql`alter table assignment.audit_log disable trigger break_log`;
      await change();
      assertNotEquals(await readState(), before);
      const [line] = await listAuditLines(sql, {}, { limit: 1 });
      assertEquals([line?.actor, line?.action, line?.databaseRole], ["ops", action, "test_service"]);
    });
  }
});
