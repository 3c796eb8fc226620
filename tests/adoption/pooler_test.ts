import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { startBackgroundWork } from "../../src/background.ts";
import { hasEnded } from "../../src/backfill/progress.ts";
import { getRun, startBackfill } from "../../src/backfill/runs.ts";
import { closeDatabase, openDatabase, type Sql } from "../../src/database/connection.ts";
import { silentLogger } from "../../src/log.ts";
import { type TestService, testService } from "../http/test_service.ts";
import { newId } from "../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { withoutTrigger } from "../support/members.ts";
import { type PgBouncer, startPgBouncer } from "../support/pgbouncer.ts";

describe("behind PgBouncer in transaction mode, with prepare=false", () => {
  let pooler: PgBouncer;
  let database: TestDatabase;
  let pooled: Sql;
  let service: TestService;
  beforeAll(async () => {
    pooler = await startPgBouncer();
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

  it("health is ready and the lists stream", async () => {
    assertEquals((await (await service.call("GET /readyz", { as: "nobody" })).json()).status, "ready");
    const { defaultTrainerId } = await (await service.call("GET /v1/settings")).json();
    const csv = await service.call(`GET /v1/trainers/${defaultTrainerId}/clients`, {
      headers: { Accept: "text/csv" },
    });
    assertEquals((await csv.text()).trim().split("\n").length, 202);
  });
});
