/** DATABASE_CA_FILE: TLS to the database, verified as sslmode=verify-full. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { createAuthority, type TestAuthority } from "../support/certificates.ts";
import { projectItself } from "../support/project.ts";
import { startTestServer, type TestServer } from "../support/servers.ts";

describe("DATABASE_CA_FILE", () => {
  const project = projectItself();
  let folder: string;
  let server: TestServer;
  let good: TestAuthority;
  let other: TestAuthority;

  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "trainer-assignment-" });
    good = await createAuthority(folder, "good");
    other = await createAuthority(folder, "other");
    server = await startTestServer();
  });
  afterAll(async () => {
    await server.remove();
    await Deno.remove(folder, { recursive: true });
  });

  /** Restarts the server with a certificate for these names, or, for null, without TLS; `hostssl` takes no other connections. */
  async function serveWith(names: string | null, connections: "host" | "hostssl" = "host"): Promise<void> {
    await server.stop();
    if (names === null) await Deno.writeTextFile(join(server.folder, "postgresql.auto.conf"), "ssl = off\n");
    else await good.install(server, names);
    await Deno.writeTextFile(
      join(server.folder, "pg_hba.conf"),
      `${connections} all all 127.0.0.1/32 scram-sha-256\n`,
    );
    await server.start();
  }

  /** Whatever `sslmode` says, the file decides. */
  function environment(authority: TestAuthority, host = "localhost") {
    const url = new URL(server.url);
    url.hostname = host;
    url.searchParams.set("sslmode", "disable");
    return {
      DATABASE_URL: url.href,
      DATABASE_CA_FILE: authority.caFile,
      ADMIN_TOKENS: `ci=${"a".repeat(64)}`,
    };
  }

  async function refusal(task: string, variables: Record<string, string>): Promise<string> {
    const { code, stderr } = await project.run(task, [], variables);
    assertEquals(code, 1, stderr);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assertEquals(stderr.includes(new URL(server.url).password), false);
    return stderr;
  }

  it("verifies a server by its name and by its address, and migrate, start and demo use it", async () => {
    await serveWith("DNS:localhost,IP:127.0.0.1", "hostssl");
    const migrated = await project.run("migrate", [], environment(good));
    assertEquals([migrated.code, migrated.stderr], [0, ""]);
    for (const host of ["localhost", "127.0.0.1"]) {
      const service = project.spawn("start", environment(good, host));
      await service.line(/"address":"(http[^"]+)"/);
      service.kill("SIGTERM");
      assertEquals(await service.ended, 0);
    }
    const demo = await project.run("demo", ["1"], environment(good));
    assertEquals([demo.code, demo.stderr], [0, ""]);
  });

  it("refuses a server of another authority, and says what to do", async () => {
    await serveWith("DNS:localhost,IP:127.0.0.1");
    for (const task of ["start", "migrate"]) {
      assertMatch(
        await refusal(task, environment(other)),
        /^error: cannot reach the database: .+: use the file of the authority that signed it/,
      );
    }
  });

  it("refuses a certificate that names another host, and says what to do", async () => {
    const expected =
      /^error: cannot reach the database: its certificate is for another host: name it in DATABASE_URL/;
    await serveWith("DNS:elsewhere.example");
    assertMatch(await refusal("start", environment(good)), expected);
    assertMatch(await refusal("migrate", environment(good)), expected);
    await serveWith("DNS:localhost"); // an address is not a name, even if it leads to the same host
    assertMatch(await refusal("start", environment(good, "127.0.0.1")), expected);
  });

  it("refuses a server without TLS, and says what to do", async () => {
    await serveWith(null);
    for (const task of ["start", "migrate"]) {
      assertMatch(
        await refusal(task, environment(good)),
        /^error: cannot reach the database: it offers no TLS: switch it on there/,
      );
    }
  });

  it("finds the writable host over verified connections only", async () => {
    const several = (authority: TestAuthority) => {
      const variables = environment(authority);
      return { ...variables, DATABASE_URL: variables.DATABASE_URL.replace("@", "@localhost:1,") };
    };
    await serveWith("DNS:localhost");
    const status = await project.run("migrate", ["status"], several(good));
    assertEquals([status.code, status.stderr], [0, ""]);
    assertMatch(
      await refusal("start", several(other)),
      /^error: cannot reach the database: .+ the authority that signed it/,
    );
    const addresses = { ...several(good), DATABASE_URL: "postgres://u@127.0.0.1:1,127.0.0.1:2/app" };
    assertStringIncludes(await refusal("start", addresses), "must be a name: 127.0.0.1 is an address");
    await serveWith("DNS:elsewhere.example");
    assertMatch(await refusal("start", several(good)), /^error: cannot reach .+ is for another host/);
  });

  it("says what is wrong with the file", async () => {
    const variables = environment(good);
    const missing = await refusal("start", { ...variables, DATABASE_CA_FILE: join(folder, "none.pem") });
    assertStringIncludes(missing, "error: DATABASE_CA_FILE: there is no file ");
    const empty = join(folder, "empty.pem");
    await Deno.writeTextFile(empty, "");
    assertStringIncludes(
      await refusal("migrate", { ...variables, DATABASE_CA_FILE: empty }),
      "holds no certificate in PEM form",
    );
  });
});
