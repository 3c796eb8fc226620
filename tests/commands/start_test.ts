import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { copyProject, type Project, type RunningTask } from "../support/project.ts";

describe("start with its own database", () => {
  let project: Project;
  let running: RunningTask[];

  beforeAll(async () => {
    project = await copyProject();
  });
  afterAll(() => project.remove());
  beforeEach(() => {
    running = [];
  });
  afterEach(async () => {
    for (const task of running) task.kill("SIGKILL");
    await Promise.all(running.map(({ ended }) => ended));
    if (await exists(join(project.folder, ".data/postgres/postmaster.pid"))) {
      await project.run("migrate", ["status"]); // takes over what a killed service left, and stops it
    }
    await Deno.remove(join(project.folder, ".data"), { recursive: true });
  });

  function start(environment?: Record<string, string>): RunningTask {
    const task = project.spawn("start", environment);
    running.push(task);
    task.ended.then(() => running = running.filter((each) => each !== task));
    return task;
  }

  it("serves a migrated database, and prints where and with which token", async () => {
    const service = await ready(start());

    const health = await fetch(`${service.address}/readyz`);
    assertEquals((await health.json()).status, "ready");

    const headers = { authorization: `Bearer ${service.token}` };
    const backfills = await fetch(`${service.address}/v1/backfills`, { headers });
    assertEquals(backfills.status, 200);
    await backfills.body?.cancel();

    const assignments = await withSql(service.databaseUrl, async (sql) => {
      await sql`insert into public.members (id) values (gen_random_uuid())`;
      return await sql`select from public.trainer_client_assignments where status = 'active'`;
    });
    assertEquals(assignments.length, 1);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`stops the database too on ${signal}, and exits with 0`, async () => {
      const task = start();
      const service = await ready(task);
      const server = await serverPid(project);

      task.kill(signal);

      assertEquals(await task.ended, 0);
      assertEquals(await isAlive(server), false);
      assertEquals(await isListening(service.address), false);
    });
  }

  it("refuses a second start on the same data, naming the first one's address", async () => {
    const { address } = await ready(start());
    const second = await project.run("start");
    assertEquals(second.code, 1);
    assertMatch(second.stderr, oneLine);
    assertStringIncludes(second.stderr, `the service runs already at ${address}`);
  });

  it("refuses a taken port in one line, and leaves no database running", async () => {
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const result = await project.run("start", [], { PORT: String(taken.addr.port) });
    taken.close();
    assertEquals(result.code, 1);
    assertEquals(
      result.stderr,
      `error: port ${taken.addr.port} is taken: stop what listens there, or choose another with PORT\n`,
    );
    assertEquals(await exists(join(project.folder, ".data/postgres/postmaster.pid")), false);
  });

  it("refuses data of another server version in one line", async () => {
    await project.run("migrate");
    const file = join(project.folder, ".data/postgres/PG_VERSION");
    await Deno.writeTextFile(file, "17\n");
    const result = await project.run("start");
    await Deno.writeTextFile(file, "18\n");
    assertEquals(result.code, 1);
    assertMatch(result.stderr, oneLine);
    assertStringIncludes(result.stderr, "was made by PostgreSQL 17, and this is PostgreSQL 18");
  });

  it("uses the database that a killed service left running, with its data", async () => {
    const first = start();
    const { databaseUrl } = await ready(first);
    const id = crypto.randomUUID();
    await withSql(databaseUrl, (sql) => sql`insert into public.members (id) values (${id})`);
    const server = await serverPid(project);
    first.kill("SIGKILL");
    assertNotEquals(await first.ended, 0);
    assertEquals(await isAlive(server), true);

    const second = start();
    const service = await ready(second);
    assertEquals(await serverPid(project), server);
    const members = await withSql(
      service.databaseUrl,
      (sql) => sql`select from public.members where id = ${id}`,
    );
    assertEquals(members.length, 1);

    second.kill("SIGTERM");
    assertEquals(await second.ended, 0);
    assertEquals(await isAlive(server), false);
  });

  it("starts again when both the service and its database were killed", async () => {
    const first = start();
    const { databaseUrl } = await ready(first);
    const id = crypto.randomUUID();
    await withSql(databaseUrl, (sql) => sql`insert into public.members (id) values (${id})`);
    Deno.kill(await serverPid(project), "SIGKILL");
    first.kill("SIGKILL");
    await first.ended;

    const service = await ready(start());
    const members = await withSql(
      service.databaseUrl,
      (sql) => sql`select from public.members where id = ${id}`,
    );
    assertEquals(members.length, 1);
  });

  it("starts over when the very first start was killed half-way", async () => {
    const unfinished = join(project.folder, ".data/postgres.new");
    await Deno.mkdir(unfinished, { recursive: true });
    await Deno.writeTextFile(join(unfinished, "PG_VERSION"), "18\n");
    await ready(start());
  });

  it("keeps its port over a restart, and takes another when it is in use", async () => {
    const first = start();
    const { databaseUrl } = await ready(first);
    first.kill("SIGTERM");
    await first.ended;

    const second = start();
    assertEquals((await ready(second)).databaseUrl, databaseUrl);
    second.kill("SIGTERM");
    await second.ended;

    const taken = Deno.listen({ hostname: "127.0.0.1", port: Number(new URL(databaseUrl).port) });
    const third = await ready(start());
    taken.close();
    assertNotEquals(third.databaseUrl, databaseUrl);
  });

  it("lets tasks use its database, and continues when they end", async () => {
    const service = await ready(start());
    const demo = await project.run("demo", ["30"]);
    assertEquals({ code: demo.code, stderr: demo.stderr }, { code: 0, stderr: "" });
    assertStringIncludes(demo.stdout, "Added 30 member(s). Without a trainer now: 30.");
    const health = await fetch(`${service.address}/readyz`);
    assertEquals(health.status, 200);
    await health.body?.cancel();
  });

  it("lets a task start and stop the database when no service runs", async () => {
    const results = await Promise.all([
      project.run("demo", ["5"]),
      project.run("demo", ["6"]),
      project.run("migrate"),
    ]);
    assertEquals(
      results.map(({ code, stderr }) => ({ code, stderr })),
      Array(3).fill({ code: 0, stderr: "" }),
    );
    assertEquals(await exists(join(project.folder, ".data/postgres/postmaster.pid")), false);
  });

  it("keeps the database's password from other accounts", async () => {
    await project.run("migrate");
    const { mode } = await Deno.stat(join(project.folder, ".data/postgres.json"));
    assertEquals((mode ?? 0) & 0o777, 0o600);
  });

  it("lists every problem of its configuration at once, and no value", async () => {
    await project.run("migrate");
    const result = await project.run("start", [], {
      PORT: "hunter2",
      LOG_LEVEL: "hunter2",
      ADMIN_TOKENS: "hunter2",
    });
    assertEquals(result.code, 1);
    assertEquals(result.stdout, "");
    for (const name of ["PORT", "LOG_LEVEL", "ADMIN_TOKENS"]) {
      assertStringIncludes(result.stderr, `error: ${name}: `);
    }
    assertEquals(result.stderr.includes("hunter2"), false);
  });
});

const oneLine = /^error: [^\n]+\n$/;

interface Service {
  address: string;
  databaseUrl: string;
  token: string;
}

async function ready(task: RunningTask): Promise<Service> {
  const [, address = "", databaseUrl = "", token = ""] = await task.line(
    /Service +(http\S+)[^]+Database +(postgres:\S+)[^]+Admin token +(ta_\S+)[^]+Ctrl-C/,
  );
  return { address, databaseUrl, token };
}

async function withSql<T>(url: string, work: (sql: Sql) => PromiseLike<T>): Promise<T> {
  const sql = openDatabase(url, { max: 1, applicationName: "test" });
  try {
    return await work(sql);
  } finally {
    await closeDatabase(sql);
  }
}

/** The first line of the file that a running server keeps. */
async function serverPid(project: Project): Promise<number> {
  const text = await Deno.readTextFile(join(project.folder, ".data/postgres/postmaster.pid"));
  return Number(text.split("\n")[0]);
}

/** A process that has ended may be listed for a moment longer, as a zombie. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", String(pid)] }).output();
  return /^[^Z]/.test(new TextDecoder().decode(stdout).trim());
}

async function isListening(address: string): Promise<boolean> {
  try {
    await (await fetch(address)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
