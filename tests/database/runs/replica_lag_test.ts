import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import { migrateUp } from "../../../src/database/migrate.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { findPressure } from "../../../src/runs/steps.ts";
import { freezeServer, thawServer } from "../../faults/processes.ts";
import { startTestServer, testedVersion, type TestServer } from "../../support/servers.ts";
import { startStandby } from "../../support/standby.ts";
import { startWalReceiver } from "../../support/wal_receiver.ts";
import { waitUntil } from "../../support/wait_until.ts";

const LIMIT_MS = 1000;

describe("a backfill's look at replica lag", () => {
  let primary: TestServer;
  let sql: Sql;
  let atEnd: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    primary = await startTestServer(testedVersion());
    sql = openDatabase(primary.url, { max: 3, applicationName: "test" });
    await sql`alter system set wal_level = logical`;
    await primary.stop();
    await primary.start();
    await migrateUp(primary.url);
  });
  afterEach(async () => {
    for (const end of atEnd.reverse()) await end();
    atEnd = [];
    await waitUntil("nobody receives", async () => (await receivers()).length === 0);
  });
  afterAll(async () => {
    await closeDatabase(sql, 1);
    await primary.remove();
  });

  const write = () => sql`insert into public.members default values`;
  const pressure = () => findPressure(sql, LIMIT_MS);
  const receivers = () =>
    sql<{ state: string; lagMs: number | null; silentMs: number | null }[]>`
      select
        state,
        extract(epoch from replay_lag)::float8 * 1000 as lag_ms,
        extract(epoch from clock_timestamp() - reply_time)::float8 * 1000 as silent_ms
      from pg_stat_replication
    `;

  async function untilStreaming(): Promise<void> {
    await waitUntil(
      "it streams",
      async () => (await receivers()).some(({ state }) => state === "streaming"),
    );
  }

  async function addStandby(settings: Record<string, string> = {}): Promise<TestServer> {
    const standby = await startStandby(primary, settings);
    atEnd.push(() => standby.remove());
    await untilStreaming();
    return standby;
  }

  it("grows while a standby is frozen, tells which one it is, and ends when it goes on", async () => {
    const standby = await addStandby();
    await write();
    await waitUntil("all is replayed", async () => (await pressure()).replicaLag === "none");

    await freezeServer(standby);
    atEnd.push(() => thawServer(standby));
    await write();
    await waitUntil("it is waited for", async () => (await pressure()).throttleBecause !== null);
    const frozen = await pressure();
    assertMatch(
      frozen.throttleBecause ?? "",
      /^replica lag \d+\.\d s > 1 s \(standby at 127\.0\.0\.1 does not answer, \d+ (bytes|kB|MB) behind\)$/,
    );
    assertMatch(frozen.replicaLag, /^\d+\.\d s$/);

    await thawServer(standby);
    await waitUntil("it is not waited for", async () => (await pressure()).throttleBecause === null);
  });

  it("grows while a standby answers but does not replay", async () => {
    const standby = await addStandby();
    const there = openDatabase(standby.url, { max: 1, applicationName: "test" });
    atEnd.push(() => closeDatabase(there, 1));
    await there`select pg_wal_replay_pause()`;
    await waitUntil("replay is paused", async () => {
      const [row] = await there<[{ state: string }]>`select pg_get_wal_replay_pause_state() as state`;
      return row.state === "paused";
    });
    await write();
    await waitUntil("it is waited for", async () => {
      const { throttleBecause } = await pressure();
      if (throttleBecause === null) return false;
      assertMatch(
        throttleBecause,
        /^replica lag [\d.]+ s > 1 s \(standby at 127\.0\.0\.1, \d+ \w+ behind\)$/,
      );
      return true;
    });
    await there`select pg_wal_replay_resume()`;
    await waitUntil("it is not waited for", async () => (await pressure()).throttleBecause === null);
  });

  it("is none for a standby that was silent because nothing was written", async () => {
    await addStandby({ wal_receiver_status_interval: "0" }); // it replies to what is written alone
    await write();
    await waitUntil("its last reply is old", isSilent);
    for (let look = 0; look < 5; look += 1) {
      await write();
      assertEquals((await pressure()).throttleBecause, null);
    }
  });

  it("is none for a standby whose clock is behind", async () => {
    const receiver = await startWalReceiver(primary, {
      applicationName: "late clock",
      saysApplied: "all",
      clockAheadMs: -3_600_000,
    });
    atEnd.push(receiver.stop);
    await write();
    await waitUntil("its last reply looks old", isSilent);
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await write();
    })();
    for (let look = 0; look < 20; look += 1) assertEquals((await pressure()).throttleBecause, null);
    isOver = true;
    await writing;
  });

  it("ignores receivers that never apply the log", async () => {
    const receiver = await startWalReceiver(primary, { applicationName: "archive", saysApplied: "nothing" });
    atEnd.push(receiver.stop);
    await untilStreaming();
    await write();
    await waitUntil("the server says that it lags", seemsToLag);
    assertEquals(await pressure(), { throttleBecause: null, replicaLag: "none", lockWaiters: "0" });
  });

  // The program of 15 takes no log of a newer server.
  if (testedVersion() === "15") {
    it("ignores pg_receivewal on an idle primary", async () => {
      const folder = await Deno.makeTempDir({ prefix: "trainer-assignment-wal-" });
      atEnd.push(() => Deno.remove(folder, { recursive: true }));
      const receiver = new Deno.Command("/usr/lib/postgresql/15/bin/pg_receivewal", {
        args: [`--directory=${folder}`, `--dbname=${primary.url}`, "--status-interval=1", "--no-loop"],
        stdin: "null",
        stdout: "null",
      }).spawn();
      atEnd.push(() => {
        receiver.kill("SIGINT");
        return receiver.status;
      });
      await untilStreaming();
      await write();
      await waitUntil("the server says that it lags", seemsToLag);
      assertEquals(await pressure(), { throttleBecause: null, replicaLag: "none", lockWaiters: "0" });
    });
  }

  it("ignores a logical subscriber, also one that is stuck", async () => {
    await sql`create publication members_elsewhere for table public.members (id)`;
    const elsewhere = await startTestServer(testedVersion());
    const subscriber = openDatabase(elsewhere.url, { max: 2, applicationName: "subscriber" });
    atEnd.push(async () => {
      await subscriber`drop subscription trainer_assignment`;
      await closeDatabase(subscriber, 1);
      await elsewhere.remove();
      await sql`drop publication members_elsewhere`;
    });
    await subscriber`create table public.members (id uuid primary key)`;
    const { port, password } = new URL(primary.url);
    await subscriber.unsafe(
      `create subscription trainer_assignment
        connection 'host=127.0.0.1 port=${port} user=postgres password=${password}'
        publication members_elsewhere`,
    );
    const countThere = async () => (await subscriber`select from public.members`).length;
    await waitUntil("it has the members", async () => await countThere() > 0);
    await untilStreaming();
    const locker = openDatabase(elsewhere.url, { max: 1, applicationName: "locker" });
    await locker`begin`;
    await locker`lock table public.members in exclusive mode`;
    await write();
    await waitUntil("it is stuck, and silent", async () => {
      const waiting = await subscriber`select from pg_locks where not granted`;
      return waiting.length > 0 && await isSilent();
    });
    assertEquals(await pressure(), { throttleBecause: null, replicaLag: "none", lockWaiters: "0" });
    await locker`rollback`;
    await closeDatabase(locker, 1);
  });

  async function isSilent(): Promise<boolean> {
    return (await receivers()).some(({ silentMs }) => (silentMs ?? 0) > 2 * LIMIT_MS);
  }

  async function seemsToLag(): Promise<boolean> {
    return (await receivers()).some(({ lagMs }) => (lagMs ?? 0) > 2 * LIMIT_MS);
  }
});
