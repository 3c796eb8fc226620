/** Checks and lists through a streaming replica: how old they may be, and what happens when it is not as it should be. */
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { createLagMeter } from "../../src/database/replica_lag.ts";
import { openReadReplica, type ReadReplica, type ReplicaOptions } from "../../src/database/read_replica.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import {
  addMembers,
  recordingLogger,
  requestInit,
  type TestService,
  testService,
} from "../http/test_service.ts";
import { startProxy } from "../faults/proxy.ts";
import { projectItself } from "../support/project.ts";
import { REPLICA_ROLE, type ReplicatedDatabase, replicatedDatabase } from "../support/replicated_database.ts";
import { waitUntil } from "../support/wait_until.ts";

/** Longer than any of these tests takes. */
const LONG_MS = 600_000;

describe("a replica to read from", () => {
  let database: ReplicatedDatabase;
  let sql: Sql;
  let there: Sql;
  let service: TestService & { replica: ReadReplica };
  let logged: Record<string, unknown>[];
  let atEnd: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    database = await replicatedDatabase();
    ({ sql, there } = database);
  });
  afterEach(async () => {
    for (const end of atEnd) await end();
    atEnd = [];
    await there`select pg_wal_replay_resume() where pg_is_in_recovery()`;
  });
  afterAll(() => database.remove());

  async function serve(
    options: Pick<ReplicaOptions, "maxLagMs" | "answerWithinMs">,
    url = database.asService(database.standby),
  ): Promise<void> {
    const recording = recordingLogger();
    logged = recording.logged;
    const replica = openReadReplica(url, {
      primary: database.pools.requests.sql,
      watch: database.pools.watch.sql,
      connections: 5,
      log: recording.log,
      ...options,
    });
    service = {
      ...await testService({ sql: database.pools.requests.sql, replica, pools: { replica: replica.use } }),
      replica,
    };
    atEnd.push(service.stop, replica.close);
  }

  const untilUsed = () => waitUntil("the replica is used", () => service.replica.state().isUsed);
  const untilLeft = () => waitUntil("the replica is not used", () => !service.replica.state().isUsed);
  const statusOf = async (id: string) => (await service.call(`GET /v1/members/${id}/assignment`)).status;
  const changes = () => logged.map(({ event, reason }) => reason ?? event);

  async function addMember(): Promise<string> {
    const [id = ""] = await addMembers(sql, 1);
    return id;
  }

  async function metric(name: string): Promise<number | undefined> {
    const text = await (await service.call("GET /metrics")).text();
    const line = text.split("\n").find((each) => each.startsWith(`trainer_assignment_${name} `));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  }

  it("answers checks and lists, as old as it is, with the rights of the service's role", async () => {
    const [early = ""] = await addMembers(sql, 2);
    await serve({ maxLagMs: LONG_MS });
    await untilUsed();
    await waitUntil("it has the member", async () => await statusOf(early) === 200);
    const fallbacks = await metric('read_fallbacks_total{reason="lagging"}');

    await database.pauseReplay();
    const late = await addMember();
    const list = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;
    assertEquals(await statusOf(late), 404);
    const bulk = await service.call("POST /v1/assignments/check", { json: { memberIds: [early, late] } });
    assertEquals((await bulk.json()).results.map(({ assigned }: { assigned: boolean }) => assigned), [
      true,
      false,
    ]);
    for (const Accept of ["application/json", "application/x-ndjson", "text/csv"]) {
      const text = await (await service.app.request(list, requestInit("GET", { headers: { Accept } })))
        .text();
      assertEquals([text.includes(early), text.includes(late)], [true, false], Accept);
    }
    const assign = await service.call(`PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${late}`, { json: {} });
    assertEquals(assign.status, 200, "what writes is the primary's");
    await assign.body?.cancel();

    assertEquals(await metric("read_replica_used"), 1);
    assertLess(await metric("read_replica_lag_seconds") ?? Infinity, LONG_MS / 1000);
    assertEquals(await metric('database_pool_size{pool="replica"}'), 5);
    assertEquals(await metric('read_fallbacks_total{reason="lagging"}'), fallbacks);
    await there`select pg_wal_replay_resume()`;
    await waitUntil("it has the late one", async () => await statusOf(late) === 200);
    assertEquals(changes(), ["read_replica_used"]);
  });

  it("is what DATABASE_READ_URL names, and may be away when the service starts", async () => {
    await database.standby.stop();
    const task = projectItself().spawn("start", {
      DATABASE_URL: database.asService(database.primary),
      DATABASE_READ_URL: database.asService(database.standby),
      ADMIN_TOKENS: `ops=${"a".repeat(64)}`,
      RECONCILE_CRON: "off",
      PORT: "0",
    });
    atEnd.push(() => {
      task.kill("SIGKILL");
      return task.ended;
    });
    await task.line(/"event":"read_replica_left","reason":"unreachable"/);
    await database.standby.start();
    await task.line(/"event":"read_replica_used"/);
    task.kill("SIGTERM");
    assertEquals(await task.ended, 0);
  });

  it("is not used while an answer could be older than the bound, and used again later", async () => {
    const maxLagMs = 1500;
    await serve({ maxLagMs });
    await untilUsed();
    await database.pauseReplay();
    const id = await addMember();
    const committedAt = performance.now();
    await waitUntil("the check is fresh", async () => {
      const askedAt = performance.now();
      const isFresh = await statusOf(id) === 200;
      if (!isFresh) assertLessOrEqual(askedAt - committedAt, maxLagMs);
      return isFresh;
    });
    await untilLeft();
    assertEquals(await metric("read_replica_used"), 0);
    assert((await metric("read_replica_lag_seconds") ?? 0) > maxLagMs / 1000);
    assert((await metric('read_fallbacks_total{reason="lagging"}') ?? 0) > 0);
    assertEquals((await (await service.call("GET /readyz")).json()).status, "ready");

    await there`select pg_wal_replay_resume()`;
    await untilUsed();
    assertEquals(await statusOf(id), 200);
    assertEquals(changes(), ["read_replica_used", "lagging", "read_replica_used"]);
  });

  it("is used while nothing is written, however long ago the last commit was", async () => {
    await serve({ maxLagMs: 500 });
    await untilUsed();
    const [row] = await there<[{ age: number }]>`
      select extract(epoch from now() - pg_last_xact_replay_timestamp())::float8 as age
    `;
    assert(row.age > 0.5);
    await waitUntil("it is used five times as long", async () => {
      assertEquals(await statusOf(DEFAULT_TRAINER_ID), 200);
      const [{ age }] = await there<[{ age: number }]>`
        select extract(epoch from now() - pg_last_xact_replay_timestamp())::float8 as age
      `;
      return age > 2.5;
    });
    assert(service.replica.state().isUsed);
  });

  it("leaves reads that it cancels or delays to the primary, and keeps none of them running", async () => {
    await serve({ maxLagMs: LONG_MS, answerWithinMs: 20_000 });
    await untilUsed();
    await sql`create table public.truncated (id integer)`;
    await sql`grant select on public.truncated to ${sql(REPLICA_ROLE)}`;
    await waitUntil("it is there", async () => {
      const rows = await there`
        select from information_schema.table_privileges where table_name = 'truncated' and grantee = ${REPLICA_ROLE}
      `;
      return rows.length > 0;
    });
    const conflicting = service.replica.beginRead()(async (read) => {
      const [row] = await read<[{ isStandby: boolean }]>`
        select pg_is_in_recovery() as is_standby
        from (select pg_sleep(case when pg_is_in_recovery() then 30 else 0 end)) as slept
        left join public.truncated on true
      `;
      return row.isStandby;
    });
    await waitUntil("it is under way", async () => {
      const rows =
        await there`select from pg_stat_activity where query like '%slept%' and wait_event = 'PgSleep'`;
      return rows.length === 1;
    });
    await sql`truncate public.truncated`;
    assertEquals(await conflicting, false);
    assertEquals(service.replica.state().fallbacks, new Map([["conflict", 1]]));

    await serve({ maxLagMs: LONG_MS, answerWithinMs: 300 });
    await untilUsed();
    const locker = openDatabase(database.primary.url, { max: 1, applicationName: "test" });
    await locker`begin`;
    await locker`lock table public.trainer_client_assignments in access exclusive mode`;
    await sql`truncate public.truncated`; // its commit sends what the lock has written
    await waitUntil("the replica has the lock", async () => {
      const locks = await there`
        select from pg_locks
        where relation = 'public.trainer_client_assignments'::regclass and mode = 'AccessExclusiveLock' and granted
      `;
      return locks.length > 0;
    });
    await database.pauseReplay();
    await locker`rollback`;
    await closeDatabase(locker);
    assertEquals(await statusOf(await addMember()), 200);
    assertEquals(service.replica.state().fallbacks.get("late"), 1);
    await waitUntil("nothing waits there", () => service.replica.use().inUse === 0);
    await there`select pg_wal_replay_resume()`;
  });

  it("fails no request when it stops, and is used again when it is back", async () => {
    const id = await addMember(); // before each measurement: whatever it goes back to, it has the member when it is used
    await serve({ maxLagMs: 5000 });
    await untilUsed();
    let isOver = false;
    const statuses = new Map<number, number>();
    const callers = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const status = await statusOf(id);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve)); // lets in what else waits
      }
    });
    await database.standby.stop();
    await untilLeft();
    assertEquals(service.replica.state().fallbacks.has("lagging"), false);
    assertEquals((await (await service.call("GET /readyz")).json()).status, "ready");
    await database.standby.start();
    await untilUsed();
    isOver = true;
    await Promise.all(callers);
    assertEquals([...statuses.keys()], [200]);
    assert((await metric('read_fallbacks_total{reason="unreachable"}') ?? 0) > 0);
    assertEquals(changes().filter((change) => change !== "unmeasured" && change !== "lagging"), [
      "read_replica_used",
      "unreachable",
      "read_replica_used",
    ]);
  });

  it("fails no request when its packets vanish", async () => {
    const proxy = await startProxy({ to: Number(new URL(database.standby.url).port) });
    await serve({ maxLagMs: LONG_MS, answerWithinMs: 300 }, proxy.url(database.asService(database.standby)));
    const id = await addMember();
    await untilUsed();
    await waitUntil("it has the member", async () => await statusOf(id) === 200);
    proxy.setMode("black_hole");
    assertEquals(await Promise.all(Array.from({ length: 50 }, () => statusOf(id))), Array(50).fill(200));
    assert((service.replica.state().fallbacks.get("late") ?? 0) > 0);
    proxy.setMode("pass");
    await untilUsed();
    assertEquals(await statusOf(id), 200);
    atEnd.push(() => proxy.close());
  });

  it("is not used if it belongs to another database, was promoted, or missed a failover", async () => {
    const elsewhere = openDatabase(database.primary.url.replace(/\/postgres$/, "/template1"), {
      max: 1,
      applicationName: "test",
    });
    assertEquals(await createLagMeter(elsewhere, there).measure(), "other_history");
    await closeDatabase(elsewhere);

    const id = await addMember();
    await serve({ maxLagMs: 5000 });
    await untilUsed();
    await database.primary.stop();
    await there`select pg_promote()`;
    await waitUntil("it is told", () => changes().includes("not_a_standby"));
    await Deno.writeTextFile(`${database.primary.folder}/standby.signal`, "");
    await database.primary.start();
    const meter = createLagMeter(there, sql);
    assertEquals(await meter.measure(), "other_history");
    assertEquals(meter.lagMs(), Infinity);

    const { port, password } = new URL(database.standby.url);
    const conninfo = `host=127.0.0.1 port=${port} user=postgres password=${password}`;
    await sql.unsafe(`alter system set primary_conninfo = '${conninfo}'`);
    await sql`select pg_reload_conf()`;
    await there`checkpoint`;
    await waitUntil("it follows, and is known to", async () => {
      await sql`checkpoint`;
      return await meter.measure() === null && meter.lagMs() < LONG_MS;
    });
    assertEquals((await sql`select from public.members where id = ${id}`).length, 1);
  });
});
