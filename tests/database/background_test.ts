import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { startBackgroundWork } from "../../src/commands/background.ts";
import { countAssignments, countFailures, newIds } from "../support/assignments.ts";
import { SERVICE_ROLE, type TestDatabase, testDatabase } from "../support/databases.ts";
import { makeDue } from "../support/failures.ts";
import { recordingLogger } from "../support/logs.ts";
import { waitUntil } from "../support/wait_until.ts";
import { acceptAssignments, refuseAssignments } from "../support/members.ts";

describe("the background work", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("logs and retries thousands of failures in one go, shared by two replicas", async () => {
    const { sql } = database;
    const ids = newIds(8_000); // sixteen batches; at one in five seconds they would take two replicas 35
    await refuseAssignments(sql, "true");
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    await acceptAssignments(sql);
    await makeDue(sql);

    const pools = [await database.newServicePool(), await database.newServicePool()];
    const { log, logged } = recordingLogger();
    const replicas = pools.map((pool) =>
      startBackgroundWork({ sql: pool, log }, {
        backfillLanes: 1,
        backfillMaxReplicaLagMs: 10_000,
        backfillRestRatio: 0,
        reconcileCron: null,
      })
    );
    const deadline = performance.now() + 20_000;
    while (await countFailures(sql) > 0 && performance.now() < deadline);
    await Promise.all(replicas.map((replica) => replica.stop()));

    assert(performance.now() < deadline, "there are still failures after 20 s");
    assertEquals(await countAssignments(sql, ids), 8_000);
    const told = logged.filter(({ event }) => event === "assignment_failed");
    assertEquals(told.map(({ memberId }) => memberId).sort(), ids.sort(), "each once");
    assert(
      told.every(({ source, code, level }) => source === "trigger" && code === "P0001" && level === "warn"),
    );
  });

  it("retries even if the service may not execute the function for its log", async () => {
    const { sql } = database;
    const ids = newIds(10);
    await refuseAssignments(sql, "true");
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    await acceptAssignments(sql);
    await makeDue(sql);
    const pool = await database.newServicePool();
    await sql`revoke execute on function assignment.claim_new_failures(integer) from ${sql(SERVICE_ROLE)}`;

    const { log, logged } = recordingLogger();
    const work = startBackgroundWork({ sql: pool, log }, {
      backfillLanes: 1,
      backfillMaxReplicaLagMs: 10_000,
      backfillRestRatio: 0,
      reconcileCron: null,
    });
    await waitUntil("all are assigned", async () => await countFailures(sql) === 0);
    await work.stop();
    const [warning] = logged.filter(({ event }) => event === "failures_not_logged");
    assertMatch(String(warning?.reason), /permission denied for function claim_new_failures/);
  });
});
