import { assertEquals, assertLess } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { killServer } from "../faults/processes.ts";
import { memberCreated, signStandard, testHook } from "../support/member_events.ts";
import { wayTo } from "../support/pgbouncer.ts";
import { startTestServer, type TestServer } from "../support/servers.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("while the database is away", () => {
  let server: TestServer;
  let way: { url: string; close(): Promise<void> };
  let sql: Sql;
  let service: TestService;
  let member: string;
  beforeAll(async () => {
    server = await startTestServer();
    await migrateUp(server.url);
    way = await wayTo(server);
    sql = openDatabase(way.url, { max: 5, applicationName: "test" });
    service = await testService({ sql, memberHook: testHook() });
    await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    [member = ""] = await addMembers(sql, 1);
  });
  afterAll(async () => {
    await closeDatabase(sql, 1);
    await service.stop();
    await way.close();
    await server.remove();
  });

  const requests = () => [
    `GET /v1/members/${member}/assignment`,
    `GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`,
    `PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${member}`,
    "POST /v1/backfills",
    "GET /v1/policy",
    `GET /v1/backfills/${member}/events`,
  ];

  const refused = async (request: string, options = {}) => {
    const response = await service.call(request, options);
    const text = await response.text();
    assertEquals([response.status, response.headers.get("Retry-After")], [503, "5"], request);
    assertEquals(JSON.parse(text).code, "database_unavailable", request);
    for (const secret of [new URL(server.url).port, "127.0.0.1", "CONN", "postgres"]) {
      assertEquals(text.includes(secret), false, `${request} shows ${secret}`);
    }
  };

  const worksAgain = async () => {
    const response = await service.call(`GET /v1/members/${member}/assignment`);
    return response.status === 200 && (await response.json()).assigned;
  };

  it("every route that needs it says so, with Retry-After, and works again by itself", async () => {
    assertEquals(await worksAgain(), true);
    await server.stop();

    for (const request of requests()) await refused(request);
    await refused(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`, { headers: { Accept: "text/csv" } });
    const payload = memberCreated({ id: member });
    const { headers } = signStandard(payload);
    await refused("POST /v1/hooks/members", { as: "nobody", json: payload, headers });
    assertEquals((await service.call("GET /livez")).status, 200);
    const readiness = await service.call("GET /readyz");
    assertEquals([readiness.status, (await readiness.json()).status], [503, "unavailable"]);

    await server.start();
    while (!await worksAgain());
    assertEquals((await service.call("GET /readyz")).status, 200);
  });

  it("nobody waits longer for an answer in a long outage", async () => {
    await server.stop();
    let longestMs = 0;
    for (let round = 0; round < 12 && longestMs < 5_000; round++) {
      const began = performance.now();
      await Promise.all(requests().map((request) => refused(request)));
      longestMs = Math.max(longestMs, performance.now() - began);
    }
    await server.start();
    while (!await worksAgain());
    assertLess(longestMs, 5_000);
  });

  it("a request under way says so too", async () => {
    const locker = openDatabase(server.url, { max: 2, applicationName: "test lock" });
    const { promise: locked, resolve } = Promise.withResolvers<void>();
    const lock = locker.begin(async (transaction) => {
      await transaction`lock table public.members`;
      resolve();
      await transaction`select pg_sleep(60)`;
    }).catch(() => {});
    await locked;
    const waiting = refused(`GET /v1/members/${member}/assignment`);
    let queued = 0;
    while (queued === 0) {
      const [row] = await locker<
        [{ count: number }]
      >`select count(*) from pg_catalog.pg_locks where not granted`;
      queued = row.count;
    }

    await killServer(server); // told to stop, it might let go of the lock first, and answer

    await waiting;
    await lock;
    await closeDatabase(locker, 1);
    await server.start();
    while (!await worksAgain());
  });
});
