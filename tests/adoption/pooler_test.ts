import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { startBackgroundWork } from "../../src/commands/background.ts";
import { hasEnded } from "../../src/runs/progress.ts";
import { getRun, startBackfill } from "../../src/runs/runs.ts";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { openServicePools } from "../../src/database/service_pools.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { startService } from "../faults/service.ts";
import { PROJECT_FOLDER } from "../faults/service_copy.ts";
import { type TestService, testService } from "../http/test_service.ts";
import { newId } from "../support/assignments.ts";
import { serverUrl, type TestDatabase, testDatabase } from "../support/databases.ts";
import { addUnseenMembers, withoutTrigger } from "../support/members.ts";
import { type PgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { waitUntil } from "../support/wait_until.ts";
import postgres from "postgres";

/** What operators have a pooler ignore, so that clients which set it can connect. */
const IGNORED = ["statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"];

describe("behind PgBouncer in transaction mode, with prepare=false", () => {
  let pooler: PgBouncer;
  let database: TestDatabase;
  let pooled: Sql;
  let service: TestService;
  beforeAll(async () => {
    pooler = await startPgBouncer({ serverUrl: serverUrl() });
    database = await testDatabase();
    pooled = openDatabase(`${pooler.urlOf(database.name)}?prepare=false`, {
      max: 10,
      applicationName: "test",
    });
    service = await testService({ sql: pooled });
  });
  afterAll(async () => {
    await service.stop();
    await closeDatabase(pooled);
    await pooler.stop();
    await database.drop();
  });

  it("members are assigned, and 200 checks at once answered", async () => {
    const ids = Array.from({ length: 200 }, newId);
    await pooled`insert into public.members (id) select unnest(${ids}::uuid[])`;
    const answers = await Promise.all(ids.map(async (id) => {
      const response = await service.call(`GET /v1/members/${id}/assignment`, { as: "service" });
      return (await response.json()).assigned;
    }));
    assertEquals(answers, Array(200).fill(true));
  });

  it("each of the statements that wait for the same connection is answered", async () => {
    const one = openDatabase(`${pooler.urlOf(database.name)}?prepare=false`, {
      max: 1,
      applicationName: "test",
    });
    const answers: number[] = [];
    for (let round = 0; round < 20; round++) {
      one`select pg_sleep(0.01)`.catch(() => {});
      one<[{ answer: number }]>`select ${round}::integer as answer`.then(([row]) => answers.push(row.answer));
    }
    await waitUntil("all are answered", () => answers.length === 20);
    assertEquals(answers, Array.from({ length: 20 }, (_, round) => round));
    await closeDatabase(one, 1);
  });

  it("the background work backfills, dry runs too", async () => {
    const late = newId();
    await withoutTrigger(
      database.sql,
      (transaction) => transaction`insert into public.members (id) values (${late})`,
    );
    const work = startBackgroundWork({ sql: pooled, log: silentLogger }, {
      backfillLanes: 2,
      backfillMaxReplicaLagMs: 10_000,
      backfillRestRatio: 0,
      reconcileCron: null,
    });
    for (const dryRun of [true, false]) {
      const { id } = await startBackfill(pooled, { requestedBy: "ops", dryRun });
      let run = await getRun(pooled, id);
      while (!hasEnded(run)) run = await getRun(pooled, id);
      assertEquals([run.status, run.successful], ["succeeded", 1]);
    }
    await work.stop();
  });

  it("late statements are cancelled, though the pooler refuses or ignores a time-out for them", async () => {
    const url = pooler.urlOf(database.name);
    const deaf = await startPgBouncer({ serverUrl: serverUrl(), ignored: IGNORED });
    for (const address of [`${url}?prepare=false`, url, deaf.urlOf(database.name)]) {
      const pools = await openServicePools(address, {
        requestConnections: 2,
        statementTimeoutMs: 300,
        backfillLanes: 1,
      });
      const { sql } = pools.requests;
      const error = await assertRejects(() => sql`select pg_sleep(60)`, postgres.PostgresError);
      assertEquals(error.code, "57014");
      await waitUntil("it is over on the server", async () => {
        const left = await database.sql`
          select from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'
        `;
        return left.length === 0;
      });
      await pools.close();
    }
    await deaf.stop();
  });

  it("a statement that has waited in the pooler runs to its end", async () => {
    const url = `${pooler.urlOf(database.name)}?prepare=false`;
    const others = openDatabase(url, { max: 2, applicationName: "others" });
    const held = Promise.all([1, 2].map(() => others`select pg_sleep(1.5)`));
    await waitUntil("both of the pooler's connections are held", async () => {
      const held = await database.sql`
        select from pg_stat_activity where application_name = 'others' and wait_event = 'PgSleep'
      `;
      return held.length === 2;
    });
    const watched = openDatabase(url, { max: 1, applicationName: "watched", suspectAfterMs: 400 });
    const [row] = await watched`select pg_sleep(1.5), 'done' as answer`;
    assertEquals(row?.answer, "done");
    await held;
    await closeDatabase(watched);
    await closeDatabase(others);
  });

  it("the service itself starts, works on a run to its end, and stops", async () => {
    await addUnseenMembers(database.sql, 500);
    const process = await startService({
      databaseUrl: `${pooler.urlOf(database.name)}?prepare=false`,
      folder: PROJECT_FOLDER,
    });
    const { id } = await (await process.call("POST /v1/backfills")).json();
    await waitUntil("the run has ended", async () => hasEnded(await getRun(database.sql, id)));
    const run = await (await process.call(`GET /v1/backfills/${id}`)).json();
    assertEquals([run.status, run.successful], ["succeeded", 500]);
    assertEquals((await (await process.call("GET /readyz")).json()).status, "ready");
    await (await process.call("GET /metrics")).body?.cancel();
    assertEquals(await process.stop("SIGTERM"), 0);
    const complaints = process.output().split("\n").filter((line) => /"level":"(?:warn|error)"/.test(line));
    assertEquals(complaints, []);
  });

  it("health is ready and the lists stream", async () => {
    assertEquals((await (await service.call("GET /readyz", { as: "nobody" })).json()).status, "ready");
    const { policy } = await (await service.call("GET /v1/policy")).json();
    const csv = await service.call(`GET /v1/trainers/${policy.defaultTrainerId}/clients`, {
      headers: { Accept: "text/csv" },
    });
    assertEquals((await csv.text()).trim().split("\n").length, 702);
  });
});
