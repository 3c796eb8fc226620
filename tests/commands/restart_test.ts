/** The service on data that are there already. */
import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import type { Project } from "../support/project.ts";
import {
  exists,
  isAlive,
  isListening,
  oneLine,
  type OwnDatabase,
  ownDatabase,
  ready,
  serverPid,
  withSql,
} from "./own_database.ts";

describe("start on its own data", () => {
  let own: OwnDatabase;
  let project: Project;
  beforeAll(async () => {
    own = await ownDatabase();
    project = own.project;
    await project.run("migrate");
    await own.keepData();
  });
  afterAll(() => own.remove());
  afterEach(() => own.reset());

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`stops the database too on ${signal}, and exits with 0`, async () => {
      const task = own.start();
      const service = await ready(task);
      const server = await serverPid(project);

      task.kill(signal);

      assertEquals(await task.ended, 0);
      assertEquals(await isAlive(server), false);
      assertEquals(await isListening(service.address), false);
    });
  }

  it("refuses a second start on the same data, naming the first one's address", async () => {
    const { address } = await ready(own.start());
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
    const file = join(project.folder, ".data/postgres/PG_VERSION");
    await Deno.writeTextFile(file, "17\n");
    const result = await project.run("start");
    await Deno.writeTextFile(file, "18\n");
    assertEquals(result.code, 1);
    assertMatch(result.stderr, oneLine);
    assertStringIncludes(result.stderr, "was made by PostgreSQL 17, and this is PostgreSQL 18");
  });

  it("lists every problem of its configuration at once, and no value", async () => {
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
  it("uses the database that a killed service left running, with its data", async () => {
    const first = own.start();
    const { databaseUrl } = await ready(first);
    const id = crypto.randomUUID();
    await withSql(databaseUrl, (sql) => sql`insert into public.members (id) values (${id})`);
    const server = await serverPid(project);
    first.kill("SIGKILL");
    assertNotEquals(await first.ended, 0);
    assertEquals(await isAlive(server), true);

    const second = own.start();
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
    const first = own.start();
    const { databaseUrl } = await ready(first);
    const id = crypto.randomUUID();
    await withSql(databaseUrl, (sql) => sql`insert into public.members (id) values (${id})`);
    Deno.kill(await serverPid(project), "SIGKILL");
    first.kill("SIGKILL");
    await first.ended;

    const service = await ready(own.start());
    const members = await withSql(
      service.databaseUrl,
      (sql) => sql`select from public.members where id = ${id}`,
    );
    assertEquals(members.length, 1);
  });

  it("keeps its port over a restart, and takes another when it is in use", async () => {
    const first = own.start();
    const { databaseUrl } = await ready(first);
    first.kill("SIGTERM");
    await first.ended;

    const second = own.start();
    assertEquals((await ready(second)).databaseUrl, databaseUrl);
    second.kill("SIGTERM");
    await second.ended;

    const taken = Deno.listen({ hostname: "127.0.0.1", port: Number(new URL(databaseUrl).port) });
    const third = await ready(own.start());
    taken.close();
    assertNotEquals(third.databaseUrl, databaseUrl);
  });

  it("lets tasks use its database, and continues when they end", async () => {
    const service = await ready(own.start());
    const demo = await project.run("demo", ["30"]);
    assertEquals({ code: demo.code, stderr: demo.stderr }, { code: 0, stderr: "" });
    assertStringIncludes(demo.stdout, "Added 30 member(s). Without a trainer now: 30.");
    const health = await fetch(`${service.address}/readyz`);
    assertEquals(health.status, 200);
    await health.body?.cancel();
  });
});
