import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { startBackgroundWork } from "../../src/commands/background.ts";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import type { Sql } from "../../src/database/sql.ts";
import { createOutageLog } from "../../src/database/outage_log.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { recordingLogger } from "../support/logs.ts";
import { startTestServer, type TestServer } from "../support/servers.ts";
import { waitUntil } from "../support/wait_until.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const ROLE = "trainer_service";

describe("the log of a service whose database goes away and comes back", () => {
  let server: TestServer;
  let admin: Sql;
  let pools: Sql[];
  let service: TestService;
  let work: { stop(): Promise<void> };
  let logged: Record<string, unknown>[];
  let member: string;
  beforeAll(async () => {
    server = await startTestServer();
    await migrateUp(server.url);
    admin = openDatabase(server.url, { max: 1, applicationName: "test" });
    await admin`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    [member = ""] = await addMembers(admin, 1);
    await admin.unsafe(`create role ${ROLE} login superuser password '${new URL(server.url).password}'`);
    const url = Object.assign(new URL(server.url), { username: ROLE }).href;
    pools = [3, 4].map((max) => openDatabase(url, { max, applicationName: "test service" }));
    const [sql, background] = pools as [Sql, Sql];
    const recording = recordingLogger();
    logged = recording.logged;
    const { log } = recording;
    const outageLog = createOutageLog(log);
    service = await testService({ sql, log, outageLog });
    work = startBackgroundWork({ sql: background, log, outageLog }, {
      backfillLanes: 1,
      backfillMaxReplicaLagMs: 10_000,
      backfillRestRatio: 0,
      reconcileCron: "* * * * * *",
    });
  });
  afterAll(async () => {
    await work.stop();
    await Promise.all([admin, ...pools].map((pool) => closeDatabase(pool, 1)));
    await service.stop();
    await server.remove();
  });

  const requests = () => [
    `GET /v1/members/${member}/assignment`,
    `PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${member}`,
    "GET /v1/backfills",
    "GET /v1/policy",
    "GET /readyz",
  ];

  /** Lines that an operator sees, but for those of requests and runs that go well. */
  const told = () =>
    logged.filter(({ level, event, status }) =>
      level === "warn" || level === "error" || /database_|works_again/.test(String(event)) || status === 503
    ).filter(({ level }) => level !== "debug");
  const wasTold = (event: string) => logged.some((line) => line.event === event);

  it("has a line when it is lost and one when it is back, whatever requests and loops fail meanwhile", async () => {
    await server.stop();
    await waitUntil("it is told to be lost", () => Promise.resolve(wasTold("database_lost")));
    for (let round = 0; round < 3; round++) {
      const responses = await Promise.all(requests().map((request) => service.call(request)));
      assertEquals(responses.map(({ status }) => status), requests().map(() => 503));
      await Promise.all(responses.map((response) => response.body?.cancel()));
    }
    await server.start();
    await waitUntil("it is told to be back", () => Promise.resolve(wasTold("database_back")));
    assertEquals(told().map(({ event }) => event), ["database_lost", "database_back"]);
    const [, back] = told();
    assertEquals(Number(back?.failures) > 10, true);
  });

  it("has a line per loop when a right is revoked, and one when it is granted again", async () => {
    logged.length = 0;
    await admin.unsafe(`alter role ${ROLE} nosuperuser; select assignment.grant_service('${ROLE}')`);
    await admin.unsafe(`revoke usage on schema assignment from ${ROLE}`);
    await admin.unsafe(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${ROLE}'`);
    await waitUntil(
      "each loop has told",
      () => Promise.resolve(wasTold("backfill_poll_failed") && wasTold("failures_not_logged")),
    );
    await admin.unsafe(`grant usage on schema assignment to ${ROLE}`);
    await waitUntil(
      "the poll works again",
      () => Promise.resolve(logged.some(({ after }) => after === "backfill_poll_failed")),
    );
    const polls = told().filter(({ event, after }) => [event, after].includes("backfill_poll_failed"));
    assertEquals(polls.length, 2);
  });
});
