/** The README's first command with Node alone: a fresh copy, nothing fetched before, no deno on the PATH. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findOnPath } from "../support/programs_on_path.ts";
import { kill } from "../faults/processes.ts";
import { follow, type RunningTask } from "../support/project.ts";
import { waitUntil } from "../support/wait_until.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DEADLINE_MS = 180_000;

describe("the first start with Node alone", () => {
  let folder: string;
  let options: Deno.CommandOptions;
  let task: RunningTask;
  let shell: Deno.ChildProcess;
  let npxPid: number;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "trainer-assignment-" });
    await Deno.chmod(folder, 0o755);
    const project = join(folder, "project");
    const programs = join(folder, "programs");
    for (const each of [project, programs]) await Deno.mkdir(each);
    const parts = ["main.ts", "deno.json", "deno.lock", "src", "db"].map((part) => join(ROOT, part));
    const copy = await new Deno.Command("cp", { args: ["-a", ...parts, project] }).output();
    assert(copy.success);
    for (const name of ["node", "npm", "npx", "sh", "cat", "setpriv"]) {
      await Deno.symlink(await findOnPath(name), join(programs, name));
    }
    const { DATABASE_URL: _, ...environment } = Deno.env.toObject();
    options = {
      cwd: project,
      clearEnv: true,
      env: { ...environment, PATH: programs, DENO_DIR: join(folder, "deno_dir"), PORT: "0" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    };
    const start = 'npx -y deno task start & echo "npx is $!"; read -r _';
    shell = new Deno.Command("sh", { ...options, args: ["-c", start] }).spawn();
    task = follow(shell);
    npxPid = Number((await task.line(/npx is (\d+)/))[1]);
  });
  afterAll(async () => {
    kill(npxPid, "SIGTERM");
    await task.ended;
    await Deno.remove(folder, { recursive: true });
  });

  it("serves without a page of fetched packages, also when the shell before it ends, until SIGTERM ends it all", async () => {
    const late = setTimeout(() => kill(npxPid, "SIGTERM"), DEADLINE_MS);
    const [, address = ""] = await task.line(/Service +(http\S+)/);
    await task.line(/Ctrl-C stops/);
    clearTimeout(late);
    const ready = await fetch(`${address}/readyz`);
    assertEquals((await ready.json()).status, "ready");
    assert(task.output().split("\n").length < 30, task.output());
    const installed = [...Deno.readDirSync(join(folder, "project/node_modules/.deno"))].map(({ name }) =>
      name
    );
    assertEquals(installed.filter((name) => /playwright|fast-check|axe-core|typescript|oidc/.test(name)), []);

    await shell.stdin.close();
    await shell.status;
    const endedAt = performance.now();
    await waitUntil("it has had time to notice", async () => {
      const alive = await fetch(`${address}/livez`);
      await alive.body?.cancel();
      assertEquals(alive.status, 200);
      return performance.now() - endedAt > 2_500;
    });

    kill(npxPid, "SIGTERM");
    await task.ended; // all that it started write to the same pipes: it ends with the last of them
    assert(/"msg":"stopped"/.test(task.output()), task.output());
    await assertGone(join(folder, "project/.data/postgres/postmaster.pid"));
  });

  it("leaves a copy in which deno task start ends all by SIGTERM too", async () => {
    const again = follow(
      new Deno.Command(Deno.execPath(), { ...options, args: ["task", "start"], stdin: "null" }).spawn(),
    );
    try {
      await again.line(/Ctrl-C stops/);
    } finally {
      again.kill("SIGTERM");
    }
    await again.ended;
    assert(/"msg":"stopped"/.test(again.output()), again.output());
    await assertGone(join(folder, "project/.data/postgres/postmaster.pid"));
  });
});

async function assertGone(path: string): Promise<void> {
  assertEquals(await Deno.stat(path).then(() => true, () => false), false);
}
