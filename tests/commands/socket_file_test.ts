/** A database that is reached by its socket file, with the permissions of a task. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { projectItself } from "../support/project.ts";
import { startTestServer, type TestServer } from "../support/servers.ts";

describe("a database behind a socket file", () => {
  let server: TestServer;
  let urls: { encoded: string; parameter: string };
  let password: string;
  let file: string;
  beforeAll(async () => {
    server = await startTestServer("18", { hasSocket: true });
    const { port, password: secret } = new URL(server.url);
    password = secret;
    file = `${server.folder}/.s.PGSQL.${port}`;
    urls = {
      encoded: `postgres://postgres@${encodeURIComponent(server.folder)}:${port}/postgres`,
      parameter: `postgres://postgres@/postgres?host=${server.folder}&port=${port}`,
    };
  });
  afterAll(() => server.remove());

  it("migrates, and is served from, also as the replica to read from", async () => {
    const project = projectItself([`--allow-write=${file}`]);
    const environment = { DATABASE_URL: urls.parameter, DATABASE_PASSWORD: password };
    const migrated = await project.run("migrate", [], environment);
    assertEquals([migrated.code, migrated.stderr], [0, ""]);
    const sql = openDatabase(server.url, { max: 1, applicationName: "test" });
    await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    await closeDatabase(sql);

    const { stdout } = await project.run("token", ["ci", "admin"]);
    const [, token, line = ""] = stdout.match(/^(ta_\S+)$[^]+^ADMIN_TOKENS=(\S+)$/m) ?? [];
    const service = project.spawn("start", {
      ...environment,
      DATABASE_URL: urls.encoded,
      DATABASE_READ_URL: urls.encoded,
      ADMIN_TOKENS: line,
    });
    try {
      const [, address] = await service.line(/"address":"(http[^"]+)"/);
      await service.line(/"reason":"not_a_standby"/); // it was reached, and measured
      const answer = await fetch(`${address}/v1/trainers/${DEFAULT_TRAINER_ID}/clients`, {
        headers: { authorization: `Bearer ${token}` },
      });
      assertEquals([answer.status, (await answer.json()).clients], [200, []]);
    } finally {
      service.kill("SIGTERM");
    }
    assertEquals(await service.ended, 0);
    assertEquals(service.output().includes(password), false);
  });

  it("that the permissions do not cover is refused with the missing permission", async () => {
    const result = await projectItself().run("migrate", [], {
      DATABASE_URL: urls.encoded,
      DATABASE_PASSWORD: password,
    });
    assertEquals(result.code, 1);
    assertStringIncludes(
      result.stderr,
      `may not use the socket ${file}: add --allow-write=${file}`,
    );
  });
});
