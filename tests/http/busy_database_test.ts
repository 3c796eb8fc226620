/** What callers meet while the database makes statements wait, and what they do not meet. */
import {
  assertEquals,
  assertLess,
  assertObjectMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { startBackgroundWork } from "../../src/commands/background.ts";
import { hasEnded } from "../../src/runs/progress.ts";
import { getRun, startBackfill } from "../../src/runs/runs.ts";
import type { Sql } from "../../src/database/sql.ts";
import { openServicePools, POOL_WAIT_MS, type ServicePools } from "../../src/database/service_pools.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { addUnseenMembers } from "../support/members.ts";
import { waitUntil } from "../support/wait_until.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const CONNECTIONS = 3;
const STATEMENT_TIMEOUT_MS = 400;
/** Waiting for a turn among checks, for a connection, and for the statement; doubled for a busy machine. */
const BOUND_MS = 2 * (2 * POOL_WAIT_MS + STATEMENT_TIMEOUT_MS);

describe("a service whose database is busy", () => {
  let database: TestDatabase;
  let pools: ServicePools;
  let service: TestService;
  let members: string[];
  beforeAll(async () => {
    database = await testDatabase();
    pools = await openServicePools(database.url, {
      requestConnections: CONNECTIONS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      backfillLanes: 2,
    });
    service = await testService({
      sql: pools.requests.sql,
      watchSql: pools.watch.sql,
      pools: { api: pools.requests.use, background: pools.background.use, watch: pools.watch.use },
    });
    members = await addMembers(database.sql, 50);
    await (await check(members[0])).text(); // the next ones go past the router
  });
  afterAll(async () => {
    await service.stop();
    await pools.close();
    await database.drop();
  });

  const check = (id = "") => service.call(`GET /v1/members/${id}/assignment`);

  /** Does something while nobody else may even read the table. */
  async function whileLocked(table: string, work: () => Promise<void>): Promise<void> {
    const locker = database.newConnection();
    await locker`begin`;
    await locker`lock table ${locker(table)} in access exclusive mode`;
    try {
      await work();
    } finally {
      await locker`rollback`;
    }
  }

  async function isNobodyWaiting(): Promise<boolean> {
    const waiting = await database.sql`select from pg_catalog.pg_locks where not granted`;
    return waiting.length === 0;
  }

  it("answers each request with 503 database_busy in time while members are locked, and normally afterwards", async () => {
    const stranger = crypto.randomUUID();
    const requests = () => [
      ...members.map(() => `GET /v1/members/${crypto.randomUUID()}/assignment`),
      ...members.slice(0, 20).map((id) => `PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${id}`),
      ...members.slice(0, 20).map((id) => `GET /v1/trainers/${id}/clients`),
      `GET /v1/members/${stranger}/assignment?trainerId=${members[0]}`,
      "POST /v1/backfills",
    ];
    await whileLocked("members", async () => {
      for (let round = 0; round < 2; round++) {
        const began = performance.now();
        const answers = await Promise.all(
          requests().map(async (request) => {
            const response = await service.call(request);
            return [response.status, response.headers.get("Retry-After"), (await response.json()).code];
          }),
        );
        assertLess(performance.now() - began, BOUND_MS);
        for (const answer of answers) assertEquals(answer, [503, "1", "database_busy"]);
      }
      await waitUntil("nobody waits for the lock any more", isNobodyWaiting);
      assertEquals((await service.call("GET /v1/policy")).status, 200);
    });

    assertEquals(pools.requests.use().inUse, 0);
    const after = await Promise.all(members.map(async (id) => await (await check(id)).json()));
    for (const answer of after) assertObjectMatch(answer, { assigned: true });
    assertEquals((await (await service.call("GET /readyz")).json()).status, "ready");
  });

  it("shows on /readyz and /metrics that requests wait for connections, without waiting itself", async () => {
    await whileLocked("trainer_client_assignments", async () => {
      const crowd = new AbortController();
      const full = Promise.all(members.map(async (id) => {
        while (!crowd.signal.aborted) await service.call(`GET /v1/trainers/${id}/clients`);
      }));
      try {
        await waitUntil("health says so", async () => {
          const { status, checks } = await (await service.call("GET /readyz")).json();
          return status === "degraded" && checks.database.status === "degraded" &&
            checks.database.detail.includes(`all ${CONNECTIONS} connections for requests`);
        });
        await waitUntil("metrics say so", async () => {
          const metrics = await (await service.call("GET /metrics")).text();
          const valueOf = (name: string) =>
            Number(
              metrics.split("\n").find((line) => line.startsWith(`${name}{pool="api"} `))?.split(" ")[1],
            );
          assertStringIncludes(metrics, "trainer_assignment_database_up 1");
          assertEquals(valueOf("trainer_assignment_database_pool_size"), CONNECTIONS);
          return valueOf("trainer_assignment_database_pool_in_use") === CONNECTIONS &&
            valueOf("trainer_assignment_database_pool_waiting") > 0 &&
            valueOf("trainer_assignment_database_pool_refused_total") > 0;
        });
      } finally {
        crowd.abort();
      }
      await full;
    });
  });

  it("says on /readyz what it cannot see while our tables are locked, at once and with 200", async () => {
    for (const table of ["trainer_client_assignments", "members"]) {
      await whileLocked(table, async () => {
        const began = performance.now();
        const response = await service.call("GET /readyz");
        const { status, checks } = await response.json();
        assertEquals([response.status, status, checks.database.status], [200, "degraded", "ok"]);
        const unseen = table === "members" ? checks.defaultTrainer : checks.schema;
        assertStringIncludes(unseen.detail, "another session holds a table locked");
        assertLess(performance.now() - began, 2000);
      });
    }
  });

  it("backfills while requests fill their connections", async () => {
    await addUnseenMembers(database.sql, 2000);
    const crowd = new AbortController();
    const full = Promise.all(Array.from({ length: 3 * CONNECTIONS }, async () => {
      while (!crowd.signal.aborted) await sleepInside(pools.requests.sql, 0.1).catch(() => {});
    }));
    try {
      await waitUntil("requests wait", () => Promise.resolve(pools.requests.use().waiting > 0));

      const { id } = await startBackfill(pools.watch.sql, { requestedBy: "test" });
      const work = startBackgroundWork({ sql: pools.background.sql, log: silentLogger }, {
        backfillLanes: 2,
        backfillMaxReplicaLagMs: 10_000,
        backfillRestRatio: 0,
        reconcileCron: null,
      });
      try {
        await waitUntil("the run has ended", async () => hasEnded(await getRun(pools.watch.sql, id)));
      } finally {
        await work.stop();
      }
      assertEquals(pools.requests.use().inUse, CONNECTIONS);
      assertEquals((await getRun(pools.watch.sql, id)).successful, 2000);
    } finally {
      crowd.abort();
      await full;
    }
  });

  it("answers while the background work fills its connections, whose statements may take longer", async () => {
    const { size } = pools.background.use();
    const steps = Promise.all(Array.from({ length: 2 * size }, () => sleepInside(pools.background.sql, 1)));
    await waitUntil("steps wait", () => Promise.resolve(pools.background.use().waiting > 0));
    for (const id of members.slice(0, 10)) assertEquals((await check(id)).status, 200);
    assertEquals(pools.background.use().inUse, size);
    await steps;
    await assertRejects(() => sleepInside(pools.requests.sql, 1), Error, "statement timeout");
  });

  it("names its connections, opens no more than it says, and closes all of them", async () => {
    const own = await openServicePools(database.url, {
      requestConnections: 3,
      statementTimeoutMs: 1000,
      backfillLanes: 1,
    });
    const others = await countSessions(database.sql);
    await Promise.all(
      [own.requests, own.background, own.watch].flatMap(({ sql }) =>
        Array.from({ length: 20 }, () => sleepInside(sql, 0.05))
      ),
    );
    const opened = await countSessions(database.sql);
    assertEquals(opened - others, 3 + (1 + 3) + 2);
    await own.close();
    await waitUntil(
      "they are closed",
      async () => await countSessions(database.sql) === others,
    );
  });
});

async function sleepInside(sql: Sql, seconds: number): Promise<void> {
  await sql`select pg_sleep(${seconds})`;
}

async function countSessions(sql: Sql): Promise<number> {
  const [row] = await sql<[{ sessions: number }]>`
    select count(*) as sessions
    from pg_catalog.pg_stat_activity
    where datname = current_database()
      and split_part(application_name, ':', 1) = 'trainer-assignment service'
  `;
  return row.sessions;
}
