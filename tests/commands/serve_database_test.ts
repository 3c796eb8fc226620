/** The service on a database that DATABASE_URL names. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { createToken } from "../../src/commands/token.ts";
import { getRun, startBackfill } from "../../src/runs/runs.ts";
import type { Sql } from "../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { addUnseenMembers } from "../support/members.ts";
import { projectItself, type RunningTask } from "../support/project.ts";
import { startTokenIssuer } from "../support/token_issuer.ts";
import { waitUntil } from "../support/wait_until.ts";
import { VERSION } from "../../src/version.ts";

describe("start with DATABASE_URL", () => {
  const project = projectItself();
  let database: TestDatabase;
  let environment: Record<string, string>;
  let started: RunningTask | undefined;

  beforeEach(async () => {
    database = await testDatabase();
    environment = { DATABASE_URL: database.url };
  });
  afterEach(async () => {
    started?.kill("SIGKILL");
    await started?.ended;
    await database.drop();
  });

  async function startService(settings: Record<string, string> = {}) {
    const { secret, sha256 } = createToken();
    const service = project.spawn("start", {
      ...environment,
      ADMIN_TOKENS: `ci=${sha256.toHex()}`,
      ...settings,
    });
    started = service;
    const [, address] = await service.line(/"address":"(http[^"]+)"/);
    return { service, address, headers: { authorization: `Bearer ${secret}` } };
  }

  it("start refuses an unmigrated database and says which command to run", async () => {
    const empty = await testDatabase({ migrated: false });
    const result = await project.run("start", [], {
      DATABASE_URL: empty.url,
      ADMIN_TOKENS: `ci=${"a".repeat(64)}`,
    });
    await empty.drop();
    assertEquals(result.code, 1);
    assertEquals(result.stderr, "error: the database was never migrated; run: deno task migrate\n");
  });

  it("start serves a newer database, and logs which version to deploy", async () => {
    await database.sql`insert into assignment.schema_migrations (version) values ('29991231000000')`;
    const { service, address } = await startService();
    const [line = ""] = await service.line(/^.*"schema_newer".*$/m);
    assertStringIncludes(JSON.parse(line).warning, ": deploy the version that applied them.");
    const ready = await fetch(`${address}/readyz`);
    assertEquals([ready.status, (await ready.json()).checks.migrations.status], [200, "ok"]);
  });

  it("start refuses to run without an admin token and says which command makes one", async () => {
    const result = await project.run("start", [], { ...environment, SERVICE_TOKENS: `ci=${"a".repeat(64)}` });
    assertEquals(result.code, 1);
    assertEquals(
      result.stderr,
      "error: ADMIN_TOKENS is missing: make a token with `deno task token NAME admin`, or name a provider with AUTH_ISSUER\n",
    );
  });

  it("start needs no token with an OpenID Connect provider, and accepts its tokens", async () => {
    const issuer = await startTokenIssuer();
    started = project.spawn("start", {
      ...environment,
      AUTH_ISSUER: issuer.jwt.issuer,
      AUTH_AUDIENCE: issuer.jwt.audience,
    });
    const [, address] = await started.line(/"address":"(http[^"]+)"/);
    const response = await fetch(`${address}/v1/backfills`, {
      headers: { authorization: `Bearer ${await issuer.sign({ roles: ["admin"] })}` },
    });
    await response.body?.cancel();
    assertEquals(response.status, 200);
    await issuer.stop();
  });

  it("start serves a migrated database, prints no password and drains on SIGTERM", async () => {
    const empty = await testDatabase({ migrated: false });
    environment = { DATABASE_URL: empty.url };
    const made = await project.run("token", ["ci", "admin"]);
    const [, token, line] = made.stdout.match(/^(ta_\S+)$[^]+^ADMIN_TOKENS=(\S+)$/m) ?? [];
    assertEquals((await project.run("migrate", [], environment)).code, 0);

    const service = project.spawn("start", { ...environment, ADMIN_TOKENS: line ?? "" });
    started = service;
    const [, address] = await service.line(/"address":"(http[^"]+)"/);
    const response = await fetch(`${address}/v1/backfills`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assertEquals(response.status, 200);
    await response.body?.cancel();
    service.kill("SIGTERM");

    assertEquals(await service.ended, 0);
    const lines = service.output().trim().split("\n").map((text) => JSON.parse(text));
    assertEquals([lines[0].msg, lines[0].version, lines.at(-1).msg], ["starting", VERSION, "stopped"]);
    assertEquals(service.output().includes(new URL(empty.url).password), false);
    await empty.drop();
  });

  it("start keeps answering, not ready, for SHUTDOWN_DELAY_MS", async () => {
    const { service, address, headers } = await startService({ SHUTDOWN_DELAY_MS: "60000" });
    service.kill("SIGTERM");
    await service.line(/"stopping"/);

    const ready = await fetch(`${address}/readyz`);
    assertEquals([ready.status, (await ready.json()).status], [503, "stopping"]);
    const settings = await fetch(`${address}/v1/policy`, { headers });
    assertEquals([settings.status, settings.headers.get("connection")], [200, "close"]);
    await settings.body?.cancel();
  });

  it("requests that wait for a lock end with 503, and delay neither others nor a backfill", async () => {
    const { address, headers } = await startService({ REQUEST_TIMEOUT_MS: "12000", DATABASE_POOL_SIZE: "2" });
    await addUnseenMembers(database.sql, 300);
    const locker = database.newConnection();
    await locker`begin`;
    await locker`lock table assignment.policies`;
    const waiting = Array.from({ length: 2 }, () => fetch(`${address}/v1/policy`, { headers }));
    await waitForLockedQuery(database.sql);

    const run = await startBackfill(database.sql, { trainerId: DEFAULT_TRAINER_ID, requestedBy: "test" });
    const first = Promise.race(waiting).then(() => "a request was answered");
    const done = waitUntil(
      "the run has assigned all",
      async () => (await getRun(database.sql, run.id)).successful === 300,
    );
    assertEquals(await Promise.race([first, done.then(() => "all assigned")]), "all assigned");
    for (const answer of await Promise.all(waiting)) {
      assertEquals([answer.status, (await answer.json()).code], [503, "database_busy"]);
    }
    const next = await fetch(`${address}/v1/trainers/${DEFAULT_TRAINER_ID}/clients?limit=1`, { headers });
    assertEquals([next.status, (await next.json()).clients.length], [200, 1]);
    await locker`rollback`;
    const after = await fetch(`${address}/v1/policy`, { headers });
    assertEquals(after.status, 200);
    await after.body?.cancel();
  });

  it("start answers the requests under way before it stops, and accepts no more", async () => {
    const { service, address, headers } = await startService();
    const locker = database.newConnection();
    const released = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const lock = locker.begin(async (transaction) => {
      await transaction`lock table public.trainer_client_assignments`;
      locked.resolve();
      await released.promise;
    });
    await locked.promise;
    const answer = fetch(`${address}/v1/trainers/${DEFAULT_TRAINER_ID}/clients`, { headers });
    await waitForLockedQuery(database.sql);

    service.kill("SIGTERM");
    await service.line(/"msg":"stopping"/);
    await assertRejects(() => fetch(`${address}/livez`), TypeError);
    released.resolve();
    await lock;

    const response = await answer;
    assertEquals(response.status, 200);
    assertEquals((await response.json()).clients, []);
    assertEquals(await service.ended, 0);
  });

  it("start stops at its deadline when a request never ends", async () => {
    const { service, address, headers } = await startService();
    const locker = database.newConnection();
    await locker`begin`;
    await locker`lock table public.trainer_client_assignments`;
    const answer = fetch(`${address}/v1/trainers/${DEFAULT_TRAINER_ID}/clients`, { headers });
    await waitForLockedQuery(database.sql);

    service.kill("SIGTERM");

    await Promise.all([assertRejects(() => answer, TypeError), service.ended]);
    assertEquals(await service.ended, 0);
    assertStringIncludes(service.output(), "requests or background work cut off");
  });
});

async function waitForLockedQuery(sql: Sql): Promise<void> {
  for (;;) {
    const waiting = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    `;
    if (waiting.length > 0) return;
  }
}
