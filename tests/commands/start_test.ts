/** The first start of the service, with a database of its own. */
import { assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import type { Project } from "../support/project.ts";
import { VERSION } from "../../src/version.ts";
import { exists, type OwnDatabase, ownDatabase, ready, withSql } from "./own_database.ts";

describe("first start with its own database", () => {
  let own: OwnDatabase;
  let project: Project;
  beforeAll(async () => {
    own = await ownDatabase();
    project = own.project;
  });
  afterAll(() => own.remove());
  afterEach(() => own.reset());

  it("serves a migrated database, and prints where and with which token", async () => {
    const service = await ready(own.start());

    const health = await fetch(`${service.address}/readyz`);
    const { status, version } = await health.json();
    assertEquals([status, version], ["ready", VERSION]);

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

  it("starts over when the very first start was killed half-way", async () => {
    const unfinished = join(project.folder, ".data/postgres.new");
    await Deno.mkdir(unfinished, { recursive: true });
    await Deno.writeTextFile(join(unfinished, "PG_VERSION"), "18\n");
    await ready(own.start());
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
});
