import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { driveRun } from "../../../src/runs/drive.ts";
import type { Run } from "../../../src/runs/progress.ts";
import { getRun, startBackfill } from "../../../src/runs/runs.ts";
import { findPressure } from "../../../src/runs/steps.ts";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { migrateUp } from "../../../src/database/migrate.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { countAssigned, driveOptions } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { recordingLogger } from "../../support/logs.ts";
import { addUnseenMembers } from "../../support/members.ts";
import { wayTo } from "../../support/pgbouncer.ts";
import { startTestServer, testedVersion, type TestServer } from "../../support/servers.ts";
import { startStandby } from "../../support/standby.ts";

describe("a backfill beside sessions that wait for locks on its tables", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    await addUnseenMembers(database.sql, 1000);
  });
  afterAll(() => database.drop());

  it("waits, says why, and continues when they have ended", async () => {
    const { sql } = database;
    const run = await startBackfill(sql, { requestedBy: "test" });
    const [reader, writer] = [database.newConnection(), database.newConnection()];
    await reader`begin`;
    await reader`select from public.members limit 1`;
    const waiting = writer.unsafe("alter table public.members add column nickname text").execute();
    while ((await findPressure(sql, 10_000)).throttleBecause === null);

    const { log, logged } = recordingLogger();
    const driving = driveRun(sql, run, driveOptions({ log }));
    const throttled = await waitFor(sql, run, (seen) => seen.throttledBecause !== null);
    assertEquals(throttled.throttledBecause, "1 session waits for a lock on members or assignments");
    assertEquals([throttled.processed, throttled.etaSeconds], [0, null]);
    assertEquals(throttled.probes, { replicaLag: "none", lockWaiters: "1" });

    await reader`commit`;
    await waiting;
    await driving;
    const ended = await getRun(sql, run.id);
    assertEquals([ended.status, ended.successful, ended.throttledBecause], ["succeeded", 1000, null]);
    assertEquals(logged.map(({ event, runId, kind, reason }) => [event, runId, kind, reason]), [
      ["backfill_throttled", run.id, "backfill", throttled.throttledBecause],
      ["backfill_unthrottled", run.id, "backfill", null],
    ]);
  });
});

describe("a backfill of a primary whose replica lags", () => {
  let primary: TestServer;
  let standby: TestServer;
  let way: { url: string; close(): Promise<void> };
  let sql: Sql;
  beforeAll(async () => {
    primary = await startTestServer(testedVersion());
    standby = await startStandby(primary, { recovery_min_apply_delay: "1h" });
    await migrateUp(primary.url);
    way = await wayTo(primary);
    sql = openDatabase(way.url, { max: 5, applicationName: "test" });
    await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    await addUnseenMembers(sql, 1000);
  });
  afterAll(async () => {
    await closeDatabase(sql, 1);
    await way.close();
    await standby.remove();
    await primary.remove();
  });

  it("waits with the lag as its reason and writes nothing, until the replica has caught up", async () => {
    while ((await findPressure(sql, 1000)).throttleBecause === null) {
      await sql`insert into public.members default values`;
    }
    const before = await countAssigned(sql);
    const run = await startBackfill(sql, { requestedBy: "test" });
    const { log, logged } = recordingLogger();
    const driving = driveRun(sql, run, driveOptions({ maxReplicaLagMs: 1000, log }));
    const throttled = await waitFor(sql, run, (seen) => seen.throttledBecause !== null);
    assertMatch(
      throttled.throttledBecause ?? "",
      /^replica lag \d+\.\d s > 1 s \(standby at 127\.0\.0\.1, \d+ \w+ behind\)$/,
    );
    assertEquals([throttled.status, throttled.processed, throttled.etaSeconds], ["running", 0, null]);
    assertEquals(await countAssigned(sql), before);
    const { throttledBecause } = throttled;
    await waitFor(sql, run, (seen) => seen.throttledBecause !== throttledBecause);

    const replica = openDatabase(standby.url, { max: 1, applicationName: "test" });
    await replica`alter system set recovery_min_apply_delay = 0`;
    await replica`select pg_reload_conf()`;
    await closeDatabase(replica, 1);
    await driving;
    const ended = await getRun(sql, run.id);
    assertEquals([ended.status, ended.successful, ended.throttledBecause], ["succeeded", 1000, null]);
    assertEquals(logged.map(({ event }) => event), ["backfill_throttled", "backfill_unthrottled"]);
  });
});

describe("a probe that the owner of the functions has no permission for", () => {
  it("reads unavailable, never none", async () => {
    const database = await testDatabase();
    const owner = `owner_${database.name}`;
    const { sql } = database;
    try {
      assertEquals((await findPressure(sql, 10_000)).replicaLag, "none");
      await sql`create role ${sql(owner)}`;
      await sql`grant usage, create on schema assignment to ${sql(owner)}`;
      await sql`alter function assignment.find_backfill_pressure(integer) owner to ${sql(owner)}`;
      const pressure = await findPressure(sql, 10_000);
      assertEquals([pressure.replicaLag, pressure.throttleBecause], ["unavailable", null]);
    } finally {
      await sql`drop owned by ${sql(owner)}`;
      await sql`drop role ${sql(owner)}`;
      await database.drop();
    }
  });
});

async function waitFor(sql: Sql, run: Run, condition: (run: Run) => boolean): Promise<Run> {
  while (true) {
    const current = await getRun(sql, run.id);
    if (condition(current)) return current;
    assert(current.status === "running", `the run is ${current.status}`);
  }
}
