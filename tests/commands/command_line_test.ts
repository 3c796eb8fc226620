import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseConfig } from "../../src/config.ts";
import { projectItself } from "../support/project.ts";
import { VERSION } from "../../src/version.ts";

describe("command line", () => {
  const project = projectItself();

  it("shows the usage and exits with 2 when called wrongly", async () => {
    const calls: [task: string, args: string[]][] = [
      ["start", ["extra"]],
      ["migrate", ["sideways"]],
      ["demo", ["0"]],
      ["demo", ["many"]],
      ["demo", ["1", "2"]],
      ["token", []],
      ["token", ["name"]],
      ["token", ["name", "owner"]],
      ["token", ["white space", "admin"]],
      ["token", ["--webhook-key", "more"]],
    ];
    for (const [task, args] of calls) {
      const result = await project.run(task, args);
      assertEquals({ code: result.code, stdout: result.stdout }, { code: 2, stdout: "" }, `${task} ${args}`);
      assertMatch(result.stderr, new RegExp(`^error: .+\\n\\nusage:\\n  deno task ${task} .+\\n$`));
    }
  });

  it("token makes a new token each time, and the line with its hash", async () => {
    const [first, second] = await Promise.all([
      project.run("token", ["orders", "service"]),
      project.run("token", ["orders", "service"]),
    ]);
    const [, token = "", hash] =
      first.stdout.match(/^(ta_[\w-]{43})$[^]+^SERVICE_TOKENS=orders=([0-9a-f]{64})$/m) ?? [];
    assertEquals(hash, createHash("sha256").update(token).digest("hex"));
    assertNotEquals(first.stdout, second.stdout);
    const viewer = await project.run("token", ["board", "viewer"]);
    assertMatch(viewer.stdout, /^VIEWER_TOKENS=board=[0-9a-f]{64}$/m);
  });

  it("token --webhook-key makes a new key each time, which the configuration takes", async () => {
    const [first, second] = await Promise.all([
      project.run("token", ["--webhook-key"]),
      project.run("token", ["--webhook-key"]),
    ]);
    const [, key = ""] = first.stdout.match(/^WEBHOOK_KEY=(.+)$/m) ?? [];
    assertEquals(parseConfig({ WEBHOOK_KEY: key }).webhookKeys.map(({ length }) => length), [32]);
    assertNotEquals(first.stdout, second.stdout);
  });

  it("names every command in the usage", async () => {
    const { code, stdout } = await runMain("--help");
    assertEquals(code, 0);
    for (const name of ["start", "migrate", "backfill", "transfer", "policy", "demo", "token"]) {
      assertStringIncludes(stdout, `deno task ${name} `);
    }
  });

  it("says its version", async () => {
    const { code, stdout } = await runMain("--version");
    assertEquals([code, stdout], [0, `${VERSION}\n`]);
  });

  it("refuses a command that does not exist", async () => {
    const { code, stderr } = await runMain("constructor");
    assertEquals(code, 2);
    assertStringIncludes(stderr, 'error: there is no command "constructor"');
  });
});

/** Calls the program itself, as no task does. */
async function runMain(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const result = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", main, ...args] }).output();
  const decoder = new TextDecoder();
  return { code: result.code, stdout: decoder.decode(result.stdout), stderr: decoder.decode(result.stderr) };
}
