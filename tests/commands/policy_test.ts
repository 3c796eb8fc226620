/** `deno task policy` as those use it who keep the policy in version control. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { getPolicy, putPolicy } from "../../src/policy/policies.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { projectItself } from "../support/project.ts";

const EMPTY = { defaultTrainerId: DEFAULT_TRAINER_ID, respectsOtherTrainers: false, rules: [] };
const STAFF = {
  name: "Staff",
  when: { field: "email", op: "contains", value: "@staff.example" },
  assign: { choose: "nobody" },
};

describe("deno task policy", () => {
  const project = projectItself();
  let database: TestDatabase;
  let environment: Record<string, string>;
  let folder: string;
  beforeEach(async () => {
    database = await testDatabase();
    environment = { DATABASE_URL: database.serviceUrl };
    folder = await Deno.makeTempDir();
  });
  afterEach(async () => {
    await database.drop();
    await Deno.remove(folder, { recursive: true });
  });

  const run = (...args: string[]) => project.run("policy", args, environment);
  const countVersions = async () => (await getPolicy(database.sql)).version;

  async function write(document: unknown): Promise<string> {
    const file = join(folder, "policy.json");
    await Deno.writeTextFile(file, typeof document === "string" ? document : JSON.stringify(document));
    return file;
  }

  it("puts a file with a comment, shows it, and lists who wrote which version", async () => {
    const file = await write({ ...EMPTY, rules: [STAFF] });
    const { code, stdout, stderr } = await run("put", file, "--comment", "staff need none");
    assertEquals([code, stdout, stderr], [0, "version 2: 1 rule added\n", ""]);
    assertMatch(
      (await run("show")).stdout,
      /^Version 2, .*Z, cli:\w+: staff need none\n1\. Staff: If email contains @staff\.example: no trainer/,
    );
    const history = (await run("history")).stdout.trimEnd().split("\n");
    assertMatch(history[0] ?? "", /^ {3}2 .* cli:\w+ {2}1 rule\(s\) {2}staff need none$/);
    assertMatch(history[1] ?? "", /^ {3}1 .* migration {2}0 rule\(s\)$/);
  });

  it("shows a document that put takes again, and then makes no version", async () => {
    await putPolicy(database.sql, { ...EMPTY, rules: [STAFF] }, "a test");
    const { stdout } = await run("show", "--json");
    assertEquals(JSON.parse(stdout), { ...EMPTY, rules: [STAFF] });
    const again = await run("put", await write(stdout));
    assertEquals([again.code, again.stdout], [0, "nothing changed: version 2 stays in force\n"]);
    assertEquals(await countVersions(), 2);
  });

  it("checks a file with all its problems, exits with 1 and writes nothing", async () => {
    const good = await run("check", await write({ ...EMPTY, rules: [STAFF] }));
    assertEquals([good.code, good.stdout], [0, "valid; compared with version 1: 1 rule added\n"]);
    const wrong = { ...STAFF, when: { field: "emial", op: "is" } };
    const lost = { ...STAFF, name: "Lost", when: { field: "emial", op: "exists" } };
    const bad = await run("check", await write({ ...EMPTY, rules: [wrong, lost] }));
    assertEquals([bad.code, bad.stdout], [1, ""]);
    assertMatch(
      bad.stderr,
      /^error: \/rules\/0\/when\/op: must be one of .*\nerror: \/rules\/1\/when\/field: .*emial\n$/,
    );
    assertEquals(await countVersions(), 1);
  });

  it("prints warnings", async () => {
    const all = { name: "All", assign: { choose: "nobody" } };
    const { code, stdout } = await run("check", await write({ ...EMPTY, rules: [all, STAFF] }));
    assertEquals(code, 0);
    assertMatch(stdout, /^warning: \/rules\/1: never matches.*\nvalid; /);
  });

  it("puts only over the version that is expected", async () => {
    await putPolicy(database.sql, { ...EMPTY, respectsOtherTrainers: true }, "a test");
    const { code, stderr } = await run("put", await write(EMPTY), "--expect", "1");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "error: the policy has version 2, not 1");
    assertEquals(await countVersions(), 2);
  });

  it("reads standard input", async () => {
    const { code, stdout } = await project.run(
      "policy",
      ["put", "-"],
      environment,
      JSON.stringify({ ...EMPTY, rules: [STAFF] }),
    );
    assertEquals([code, stdout], [0, "version 2: 1 rule added\n"]);
  });

  it("says what is wrong with a file that it cannot read", async () => {
    const missing = await run("put", join(folder, "missing.json"));
    assertEquals(missing.code, 1);
    assertMatch(missing.stderr, /^error: cannot read .*missing\.json/);
    const broken = await run("check", await write("{"));
    assertEquals(broken.code, 1);
    assertMatch(broken.stderr, /^error: .*policy\.json is not JSON: /);
  });

  it("exits with 2 and the usage when called wrongly", async () => {
    for (
      const args of [
        ["put"],
        ["check", "a", "b"],
        ["show", "a"],
        ["history", "--json"],
        ["undo"],
        [
          "put",
          "a",
          "--expect",
          "0",
        ],
        ["check", "a", "--comment", "x"],
        ["--quick"],
      ]
    ) {
      const { code, stderr } = await run(...args);
      assertEquals(code, 2, args.join(" "));
      assertMatch(stderr, /^error: .*\n\nusage:\n {2}deno task policy show/);
    }
  });
});
