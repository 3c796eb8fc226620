import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { reconcile, reconcileOnSchedule } from "../../../src/runs/schedule.ts";
import { cancelRun, getRun, listRuns, pauseRun, startBackfill } from "../../../src/runs/runs.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { silentLogger } from "../../../src/telemetry/log.ts";
import { setDefaultTrainer } from "../../../src/policy/policies.ts";
import {
  DEFAULT_TRAINER_ID,
  endAssignment,
  isUserAssignedToTrainer,
} from "../../../src/trainer_assignment.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { countingSql } from "../../support/counting_sql.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { recordingLogger } from "../../support/logs.ts";
import { addUnseenMembers, withoutTrigger } from "../../support/members.ts";
import { countRoom, setCapacity } from "../../support/policies.ts";

describe("the scheduled reconciliation", () => {
  let database: TestDatabase;
  const slot = new Date("2026-01-02T03:17:00Z");
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("is started by exactly one of many replicas in each slot", async () => {
    const { sql } = database;
    const started = await Promise.all(Array.from({ length: 20 }, () => reconcile(sql, slot)));
    const ids = started.flatMap(({ runId }) => runId ?? []);
    assertEquals(ids.length, 1);
    const run = await driveToEnd(sql, await getRun(sql, ids[0] ?? ""));
    assertEquals([run.requestedBy, run.status], ["schedule", "succeeded"]);

    assertEquals((await reconcile(sql, slot)).runId, null, "the same slot again");
    assert((await reconcile(sql, new Date("2026-01-03T03:17:00Z"))).runId, "the next slot");
  });

  it("leaves a run that is under way alone", async () => {
    const { sql } = database;
    assert((await reconcile(sql, slot)).runId);
    assertEquals((await reconcile(sql, new Date("2026-01-03T03:17:00Z"))).runId, null);
    assertEquals((await listRuns(sql, { limit: 10 })).length, 1);
  });

  it("is tried again while a dry run is under way, which assigns nobody", async () => {
    const { sql } = database;
    const dryRun = await startBackfill(sql, { requestedBy: "test", dryRun: true });
    assertEquals((await reconcile(sql, slot)).waitsFor, dryRun.id);
    await driveToEnd(sql, dryRun);
    assert((await reconcile(sql, slot)).runId);
  });

  it("is tried again while a run is paused, and counts as overdue meanwhile", async () => {
    const { sql } = database;
    const paused = await startBackfill(sql, { requestedBy: "test" });
    await pauseRun(sql, paused.id, "test");
    assertEquals((await reconcile(sql, slot)).waitsFor, paused.id);
    assertEquals((await sql`select from assignment.reconciliations`).length, 0);
    await cancelRun(sql, paused.id, "test");
    assert((await reconcile(sql, slot)).runId);
  });

  it("starts when the pattern says so, and ends with the signal", async () => {
    const { sql } = database;
    const stopping = new AbortController();
    const scheduled = reconcileOnSchedule(sql, "* * * * * *", { log: silentLogger, signal: stopping.signal });
    while ((await listRuns(sql, { limit: 1 })).length === 0);
    stopping.abort();
    await scheduled;
  });

  it("logs once why it cannot start a run, and again when the reason changes, however often it tries", async () => {
    const { sql } = database;
    const { logged, log } = recordingLogger();
    const counting = countingSql(sql);
    const stopping = new AbortController();
    await sql`delete from public.members`;
    const soon = new Date(Date.now() + 1000);
    const scheduled = reconcileOnSchedule(counting.sql, soon.toISOString(), {
      log,
      signal: stopping.signal,
      retryMs: { first: 1, longest: 20 },
    });
    const triedAgain = async () => {
      for (const enough = counting.queries() + 5; counting.queries() < enough;) await sql`select`;
    };
    await triedAgain();
    await sql`delete from assignment.settings`;
    await triedAgain();
    await setDefaultTrainer(sql, await addTrainer(sql), "test");
    await scheduled;

    assertEquals(logged.map(({ level, event }) => [level, event]), [
      ["warn", "reconciliation_not_started"],
      ["warn", "reconciliation_not_started"],
      ["info", "reconciliation_started"],
    ]);
    assertMatch(String(logged[0]?.["reason"]), /trainer .* is not a member/);
    assertMatch(String(logged[1]?.["reason"]), /no default trainer is configured/);
  });

  it("repairs seats that drifted, once, and warns of it", async () => {
    const { sql } = database;
    const { logged, log } = recordingLogger();
    await setCapacity(sql, DEFAULT_TRAINER_ID, 5);
    await sql`delete from assignment.seats where seat in (select seat from assignment.seats limit 2)`;
    const reconcileNow = async () => {
      const soon = new Date(Date.now() + 1000);
      await reconcileOnSchedule(sql, soon.toISOString(), { log, signal: new AbortController().signal });
      for (const { id } of await listRuns(sql, { limit: 1 })) await driveToEnd(sql, await getRun(sql, id));
    };
    await reconcileNow();
    await reconcileNow();
    assertEquals(await countRoom(sql, DEFAULT_TRAINER_ID), 5);
    const warnings = logged.filter(({ level }) => level === "warn");
    assertEquals(warnings.map(({ event, seats }) => [event, seats]), [["seats_repaired", 2]]);
    const rows = await sql<{ repairedSeats: number }[]>`
      select repaired_seats from assignment.reconciliations order by slot
    `;
    assertEquals(rows.map(({ repairedSeats }) => repairedSeats), [2, 0]);
  });

  for (
    const [broken, task] of [
      ["table assignment.seats", "settle_all_seats"],
      ["table assignment.member_hook_events", "forget_member_events"],
      ["table assignment.outbox", "forget_gone_members"],
    ]
  ) {
    it(`starts its run although ${broken} is gone, and warns of what it could not do`, async () => {
      const { sql } = database;
      const { logged, log } = recordingLogger();
      await addUnseenMembers(sql, 5);
      await sql.unsafe(`alter ${broken} rename to gone`);
      const soon = new Date(Date.now() + 1000);
      await reconcileOnSchedule(sql, soon.toISOString(), { log, signal: new AbortController().signal });
      const warnings = logged.filter(({ level }) => level === "warn");
      assertEquals(new Set(warnings.map(({ event }) => event)), new Set(["reconciliation_incomplete"]));
      const problem = warnings.find(({ reason }) => String(reason).startsWith(`${task}: `));
      assertMatch(String(problem?.["reason"]), /relation .* does not exist$/);
      const [{ id } = { id: "" }] = await listRuns(sql, { limit: 1 });
      const run = await driveToEnd(sql, await getRun(sql, id));
      assertEquals([run.status, run.successful], ["succeeded", 5]);
    });
  }

  async function addTrainer(sql: Sql): Promise<string> {
    const id = crypto.randomUUID();
    await withoutTrigger(sql, (transaction) => transaction`insert into public.members (id) values (${id})`);
    return id;
  }

  const bypasses: Record<string, (sql: Sql, memberId: string) => Promise<unknown>> = {
    "session_replication_role = replica": (sql, memberId) =>
      withoutTrigger(sql, (transaction) => transaction`insert into public.members (id) values (${memberId})`),
    "a disabled trigger": async (sql, memberId) => {
      await sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
      await sql`insert into public.members (id) values (${memberId})`;
      await sql`alter table public.members enable trigger members_assign_trainer_after_insert`;
    },
    "a restore of the data alone": async (sql, memberId) => {
      await sql`alter table public.members disable trigger user`;
      const writing = await sql`copy public.members (id) from stdin`.writable();
      await new Promise((resolve, reject) =>
        writing.on("error", reject).on("finish", resolve).end(`${memberId}\n`)
      );
      await sql`alter table public.members enable trigger user`;
    },
  };
  for (const [name, insertPast] of Object.entries(bypasses)) {
    it(`assigns members that bypassed the trigger by ${name}`, async () => {
      const { sql } = database;
      const memberId = crypto.randomUUID();
      await insertPast(sql, memberId);
      assertEquals(await isUserAssignedToTrainer(sql, memberId), false);
      const { runId } = await reconcile(sql, slot);
      await driveToEnd(sql, await getRun(sql, runId ?? ""));
      assertEquals(await isUserAssignedToTrainer(sql, memberId), true);
    });
  }

  it("does not revive an assignment that somebody ended", async () => {
    const { sql } = database;
    const memberId = crypto.randomUUID();
    await sql`insert into public.members (id) values (${memberId})`;
    await endAssignment(sql, DEFAULT_TRAINER_ID, memberId);
    const { runId } = await reconcile(sql, slot);
    const run = await driveToEnd(sql, await getRun(sql, runId ?? ""));
    assertEquals([run.status, run.skippedBecause.ended], ["succeeded", 1]);
    assertEquals(await isUserAssignedToTrainer(sql, memberId), false);
  });
});
