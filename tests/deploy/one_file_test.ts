/** What `deno task compile` writes, on a machine that has a shell and tar, and neither Deno nor npm. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { writeOneFile } from "../../tools/compile.ts";
import { VERSION } from "../../src/version.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

const TOKENS = `ops=${"0".repeat(64)}`;

describe("the one file", () => {
  let folder: string;
  let database: TestDatabase;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "trainer-assignment-one-file-test-" });
    await Deno.mkdir(join(folder, "of an operator"));
    await writeOneFile(join(folder, "trainer-assignment"));
    database = await testDatabase({ migrated: false });
  });
  afterAll(async () => {
    await database.drop();
    await Deno.remove(folder, { recursive: true });
  });

  const cache = () => join(folder, "its cache");
  const unpacked = () => Array.from(Deno.readDirSync(join(cache(), "trainer-assignment")));

  function start(
    args: string[],
    environment: Record<string, string> = {},
    program = join(folder, "trainer-assignment"),
  ): Deno.ChildProcess {
    return new Deno.Command(program, {
      args,
      cwd: join(folder, "of an operator"),
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", XDG_CACHE_HOME: cache(), ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  async function run(...call: Parameters<typeof start>) {
    const { code, stdout, stderr } = await start(...call).output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  it("unpacks itself once, also when two start at once", async () => {
    const outcomes = await Promise.all([run(["--version"]), run(["--version"])]);
    outcomes.push(await run(["--version"]));
    for (const outcome of outcomes) assertEquals(outcome, { code: 0, stdout: `${VERSION}\n`, stderr: "" });
    assertEquals(unpacked().map(({ isSymlink }) => isSymlink).toSorted(), [false, true]);
  });

  it("migrates, puts a policy of the folder where it is called, and serves", async () => {
    const environment = { DATABASE_URL: database.url, PORT: "0", ADMIN_TOKENS: TOKENS };
    await Deno.writeTextFile(
      join(folder, "of an operator/policy.json"),
      JSON.stringify({ defaultTrainerId: null, respectsOtherTrainers: true }),
    );
    const migrated = await run(["migrate"], environment);
    assertEquals(migrated.code, 0, migrated.stderr);
    const put = await run(["policy", "put", "policy.json"], environment);
    assertEquals(put.code, 0, put.stderr);

    const service = start(["start"], environment);
    let text = "";
    let address: string | undefined;
    for await (const chunk of service.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (address !== undefined) continue;
      address = /"address":"(http[^"]+)"/.exec(text)?.[1];
      if (address === undefined) continue;
      for (const path of ["livez", "readyz", "docs", "admin/login"]) {
        const response = await fetch(new URL(path, address));
        await response.body?.cancel();
        assertEquals(response.status, 200, path);
      }
      service.kill("SIGTERM");
    }
    await service.stderr.cancel();
    assertEquals((await service.status).code, 0);
    assertStringIncludes(text, '"msg":"stopped"');
  });

  it("says what to do without a database, and where it cannot unpack itself", async () => {
    const withoutDatabase = await run(["start"], { ADMIN_TOKENS: TOKENS });
    assertEquals(withoutDatabase.code, 1);
    assertStringIncludes(withoutDatabase.stderr, "error: set DATABASE_URL");
    for (const place of ["", "/proc/none"]) {
      const { code, stderr } = await run(["--version"], { XDG_CACHE_HOME: place });
      assertEquals(code, 1);
      assert(/^error: .*set XDG_CACHE_HOME to/m.test(stderr), stderr);
    }
  });

  it("reads the file of a CA wherever it lies", async () => {
    await Deno.writeTextFile(join(folder, "of an operator/ca.pem"), "to be replaced");
    const environment = { DATABASE_URL: database.url, DATABASE_CA_FILE: "ca.pem", ADMIN_TOKENS: TOKENS };
    const { stderr } = await run(["start"], environment);
    assertStringIncludes(stderr, "ca.pem holds no certificate in PEM form");
  });

  it("unpacks itself again when somebody deleted what it unpacked", async () => {
    const contents = unpacked().find(({ isDirectory }) => isDirectory)?.name ?? "none";
    await Deno.remove(join(cache(), "trainer-assignment", contents), { recursive: true });
    assertEquals(await run(["--version"]), { code: 0, stdout: `${VERSION}\n`, stderr: "" });
  });

  it("leaves nothing behind when the half of it was copied", async () => {
    const program = join(folder, "half");
    const whole = await Deno.readFile(join(folder, "trainer-assignment"));
    await Deno.writeFile(program, whole.subarray(0, whole.length / 2), { mode: 0o755 });
    const { code, stderr } = await run(["--version"], { XDG_CACHE_HOME: join(folder, "cache") }, program);
    assertEquals(code, 2); // tar's
    assertStringIncludes(stderr, "error: cannot unpack");
    assertEquals(Array.from(Deno.readDirSync(join(folder, "cache/trainer-assignment"))), []);
  });
});
