/** The commands on a database that DATABASE_URL names. */
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { getRun, startBackfill } from "../../src/runs/runs.ts";
import type { Sql } from "../../src/database/sql.ts";
import { NEAR_MISSES } from "../../src/database/database_variables.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { addUnseenMembers } from "../support/members.ts";
import { projectItself, type RunningTask } from "../support/project.ts";
import { startTokenIssuer } from "../support/token_issuer.ts";
import { waitUntil } from "../support/wait_until.ts";

const migrationCount =
  Array.from(Deno.readDirSync(fileURLToPath(new URL("../../db/migrations", import.meta.url)))).length;

describe("commands with DATABASE_URL", () => {
  const project = projectItself();
  let database: TestDatabase;
  let environment: Record<string, string>;
  let started: RunningTask | undefined;

  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    environment = { DATABASE_URL: database.url };
  });
  afterEach(async () => {
    started?.kill("SIGKILL");
    await started?.ended;
    await database.drop();
  });

  async function startMigrated() {
    const { stdout } = await project.run("token", ["ci", "admin"]);
    const [, token, line = ""] = stdout.match(/^(ta_\S+)$[^]+^ADMIN_TOKENS=(\S+)$/m) ?? [];
    assertEquals((await project.run("migrate", [], environment)).code, 0);
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;

    const service = project.spawn("start", { ...environment, ADMIN_TOKENS: line });
    started = service;
    const [, address] = await service.line(/"address":"(http[^"]+)"/);
    return { service, address, headers: { authorization: `Bearer ${token}` } };
  }

  it("start refuses an unmigrated database and says which command to run", async () => {
    const result = await project.run("start", [], { ...environment, ADMIN_TOKENS: `ci=${"a".repeat(64)}` });
    assertEquals(result.code, 1);
    assertEquals(
      result.stderr,
      `error: the database lacks ${migrationCount} migration(s): run \`deno task migrate\` first\n`,
    );
  });

  it("start refuses to run without an admin token and says which command makes one", async () => {
    const result = await project.run("start", [], { ...environment, SERVICE_TOKENS: `ci=${"a".repeat(64)}` });
    assertEquals(result.code, 1);
    assertEquals(
      result.stderr,
      "error: ADMIN_TOKENS is missing: make a token with `deno task token NAME admin`, or name a provider with AUTH_ISSUER\n",
    );
  });

  it("start needs no token where an OpenID Connect provider vouches for admins, and takes its tokens", async () => {
    const issuer = await startTokenIssuer();
    assertEquals((await project.run("migrate", [], environment)).code, 0);
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
    const lines = service.output().trim().split("\n").map((text) => JSON.parse(text).msg);
    assertEquals([lines.at(0), lines.at(-1)], ["listening", "stopped"]);
    assertEquals(service.output().includes(new URL(database.url).password), false);
  });

  it("start goes on answering, not ready, for as long as SHUTDOWN_DELAY_MS says", async () => {
    environment.SHUTDOWN_DELAY_MS = "60000";
    const { service, address, headers } = await startMigrated();
    service.kill("SIGTERM");
    await service.line(/"stopping"/);

    const ready = await fetch(`${address}/readyz`);
    assertEquals([ready.status, (await ready.json()).status], [503, "stopping"]);
    const settings = await fetch(`${address}/v1/settings`, { headers });
    assertEquals([settings.status, settings.headers.get("connection")], [200, "close"]);
    await settings.body?.cancel();
  });

  it("requests that wait for a lock end with 503, and neither hold up others nor a backfill", async () => {
    environment = { ...environment, REQUEST_TIMEOUT_MS: "12000", DATABASE_POOL_SIZE: "2" };
    const { address, headers } = await startMigrated();
    await addUnseenMembers(database.sql, 300);
    const locker = database.newConnection();
    await locker`begin`;
    await locker`lock table assignment.settings`;
    const waiting = Array.from({ length: 2 }, () => fetch(`${address}/v1/settings`, { headers }));
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
    const after = await fetch(`${address}/v1/settings`, { headers });
    assertEquals(after.status, 200);
    await after.body?.cancel();
  });

  it("start answers the requests under way before it stops, and takes no more", async () => {
    const { service, address, headers } = await startMigrated();
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
    const { service, address, headers } = await startMigrated();
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

  it("migrate applies everything once, whoever else migrates at the same time", async () => {
    const results = await Promise.all(
      Array.from({ length: 4 }, () => project.run("migrate", [], environment)),
    );
    assertEquals(results.map(({ code }) => code), [0, 0, 0, 0]);
    const applied = results.flatMap(({ stdout }) => stdout.match(/^applied: \d+$/gm) ?? []);
    assertEquals(applied.length, migrationCount);
  });

  it("migrate down --all leaves the database as it was", async () => {
    await project.run("migrate", [], environment);
    const down = await project.run("migrate", ["down", "--all"], environment);
    assertEquals({ code: down.code, stderr: down.stderr }, { code: 0, stderr: "" });
    const left = await database.sql`
      select nspname from pg_namespace where nspname = 'assignment'
      union all
      select relname from pg_class where relnamespace = 'public'::regnamespace
      union all
      select proname from pg_proc where pronamespace = 'public'::regnamespace
    `;
    assertEquals([...left], []);
  });

  it("migrate says what is missing and exits with 1; migrate repair creates it again", async () => {
    await project.run("migrate", [], environment);
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID}), (gen_random_uuid())`;
    await database.sql`drop table public.trainer_client_assignments cascade`;

    const migrated = await project.run("migrate", [], environment);
    assertEquals([migrated.code, migrated.stdout], [1, ""]);
    assertEquals(
      migrated.stderr,
      "error: table public.trainer_client_assignments is missing; run: deno task migrate repair\n",
    );

    const { stdout } = await project.run("migrate", ["status"], environment);
    assertMatch(
      stdout,
      /^but table public\.trainer_client_assignments is missing; run: deno task migrate repair$/m,
    );
    const repaired = await project.run("migrate", ["repair"], environment);
    assertEquals([repaired.code, repaired.stderr], [0, ""]);
    assertMatch(repaired.stdout, /^repaired: table public\.trainer_client_assignments is missing$/m);
    assertMatch(repaired.stdout, /^note: the assignments .+ only a backup has them/m);
    assertMatch(repaired.stdout, /^1 member\(s\) have no active assignment: run deno task backfill$/m);
    assertEquals((await project.run("migrate", [], environment)).stdout, "nothing to do\n");
    assertEquals(
      (await project.run("migrate", ["repair"], environment)).stdout.split("\n")[0],
      "nothing to repair",
    );
  });

  it("migrate asks for a repair where the record of what was applied is gone", async () => {
    await project.run("migrate", [], environment);
    await database.sql`drop table assignment.schema_migrations`;
    const refused = await project.run("migrate", [], environment);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "run `deno task migrate repair`");
    assertEquals((await project.run("migrate", ["repair"], environment)).code, 0);
    assertEquals((await project.run("migrate", [], environment)).stdout, "nothing to do\n");
  });

  it("migrate repair exits with 1 and names the rows that stand in the way", async () => {
    await project.run("migrate", [], environment);
    await database.sql.unsafe(`
      insert into members (id) values ('${DEFAULT_TRAINER_ID}'), (gen_random_uuid());
      drop table members cascade;
      create table members (id uuid primary key default gen_random_uuid());
      insert into members (id) values ('${DEFAULT_TRAINER_ID}');
    `);
    const repaired = await project.run("migrate", ["repair"], environment);
    assertEquals(repaired.code, 1);
    assertMatch(
      repaired.stdout,
      /^repaired: trigger members_assign_trainer_after_insert of public\.members is missing$/m,
    );
    assertMatch(
      repaired.stderr,
      /^error: not repaired: constraint .+ but 1 existing ones name a client_id that is not in public\.members: .+ run: delete /m,
    );
  });

  it("migrate down --all asks for --yes where it would delete assignments, and tells how many", async () => {
    await project.run("migrate", [], environment);
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    await database.sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 3)`;

    const refused = await project.run("migrate", ["down", "--all"], environment);
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertMatch(refused.stderr, /^error: this deletes 3 assignment\(s\)\. Export them first/);
    assertStringIncludes(refused.stderr, "`deno task migrate down --all --yes`");
    const [kept] = await database.sql`select count(*)::int as rows from public.trainer_client_assignments`;
    assertEquals(kept?.rows, 3);

    const left = await project.run("migrate", ["down", "--all", "--yes"], environment);
    assertEquals([left.code, left.stderr], [0, ""]);
    const [table] = await database.sql`select to_regclass('public.trainer_client_assignments') as name`;
    assertEquals(table?.name, null);
  });

  it("migrate down takes back the newest, and status shows it pending", async () => {
    await project.run("migrate", [], environment);
    await project.run("migrate", ["down"], environment);
    const { stdout } = await project.run("migrate", ["status"], environment);
    assertEquals(stdout.match(/^applied /gm)?.length, migrationCount - 1);
    assertMatch(stdout, /^pending .+\n$/m);
  });

  it("migrate says what the database refused, in one line without its address", async () => {
    await database.sql`create table public.members (id integer primary key)`;
    const result = await project.run("migrate", [], environment);
    assertEquals(result.code, 1);
    assertMatch(
      result.stderr,
      /^error: db\/migrations\/\d+_adopt_members\.sql: public\.members\.id must be of type uuid[^\n]+\n$/,
    );
    assertEquals(result.stderr.includes("postgres://"), false);
  });

  it("demo adds nobody to an application's own members", async () => {
    await database.sql`create table public.members (id uuid primary key)`;
    await project.run("migrate", [], environment);
    const result = await project.run("demo", [], environment);
    assertEquals(result.code, 1);
    assertStringIncludes(result.stderr, "error: public.members is an application's own table");
  });

  it("a database that is away is one line without its password", async () => {
    for (const task of ["migrate", "demo"]) {
      const result = await project.run(task, [], {
        DATABASE_URL: "postgres://service:hunter2@127.0.0.1:1/none",
      });
      assertEquals(result.code, 1);
      assertEquals(result.stderr, "error: cannot reach the database: connect ECONNREFUSED 127.0.0.1:1\n");
    }
  });

  it("a refused password, and a database that is not there, point at DATABASE_URL", async () => {
    const wrong = Object.assign(new URL(database.url), { username: "nobody", password: "wrong" }).href;
    const refused = await project.run("migrate", [], { DATABASE_URL: wrong });
    assertEquals([refused.code, refused.stderr.endsWith(": correct DATABASE_URL\n")], [1, true]);
    const absent = await project.run("migrate", [], { DATABASE_URL: `${database.url}_none` });
    assertMatch(absent.stderr, /^error: the database says: .+_none" does not exist: correct DATABASE_URL\n$/);
    assertEquals(absent.code, 1);
  });

  it("a role without rights points at where they are explained", async () => {
    const role = `${database.name}_stranger`;
    const password = crypto.randomUUID();
    await database.sql.unsafe(`create role ${role} login password '${password}'`);
    const stranger = {
      DATABASE_URL: Object.assign(new URL(database.url), { username: role, password }).href,
    };
    try {
      const unmigrated = await project.run("migrate", [], stranger);
      await project.run("migrate", [], environment);
      const migrated = await project.run("migrate", ["status"], stranger);
      for (const { code, stderr } of [unmigrated, migrated]) {
        assertEquals(code, 1);
        assertMatch(
          stderr,
          /^error: .*permission denied for .+: docs\/adopting\.md says which role needs .+\n$/,
        );
      }
    } finally {
      await database.sql.unsafe(`drop role ${role}`);
    }
  });

  it("an empty DATABASE_URL is refused, and one under another name, before any database is started", async () => {
    const empty = await project.run("migrate", [], { DATABASE_URL: "" });
    assertEquals([empty.code, empty.stderr.includes("DATABASE_URL: is empty")], [1, true]);
    for (const name of NEAR_MISSES) {
      const result = await project.run("migrate", [], { [name]: database.url });
      assertEquals(result.code, 1);
      assertEquals(
        result.stderr,
        `error: DATABASE_URL: is missing, but ${name} is set: rename it if it names the database, else unset it\n`,
      );
    }
  });

  it("what an address has for other clients alone is one warning, by a task and by the service", async () => {
    environment.DATABASE_URL += "?connection_limit=1&schema=public";
    const words =
      "DATABASE_URL: ignored are connection_limit (DATABASE_POOL_SIZE sets the number of connections), " +
      "schema (the schemas are public and assignment)";
    const migrated = await project.run("migrate", [], environment);
    assertEquals([migrated.code, migrated.stderr], [0, `warning: ${words}\n`]);
    started = project.spawn("start", { ...environment, ADMIN_TOKENS: `ci=${"a".repeat(64)}` });
    await started.line(/"address":"(http[^"]+)"/);
    assertEquals(started.output().split(words).length, 2);
  });

  it("no piece of a password that is not percent-encoded is printed", async () => {
    for (
      const password of [
        "hunter2@secret",
        "hunter2/secret",
        "hunter2#secret",
        "hunter2?secret",
        "hunter2%secret",
      ]
    ) {
      const result = await project.run("migrate", [], {
        DATABASE_URL: `postgres://service:${password}@127.0.0.1:1/none`,
      });
      assertMatch(result.stderr, /^error: DATABASE_URL: .+ is not percent-encoded: [^\n]+\n$/);
      assertEquals(/hunter2|secret/.test(result.stderr + result.stdout), false);
    }
  });

  it("a database without the TLS that is asked for is one line", async () => {
    const result = await project.run("migrate", [], { DATABASE_URL: `${database.url}?sslmode=require` });
    assertEquals(result.code, 1);
    assertMatch(result.stderr, /^error: cannot reach the database: [^\n]*TLS[^\n]*\n$/);
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
