/** What the image contains, made without a container engine: the Dockerfile says what, this does it. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/**
 * Copies what the Dockerfile copies and runs what it runs: the service into `app`, its packages into `deno-dir`, both
 * below a folder that is there.
 * @throws {Error} if a step fails, with what it said
 */
export async function buildImage(folder: string): Promise<void> {
  const dockerfile = await Deno.readTextFile(join(ROOT, "Dockerfile"));
  const app = join(folder, "app");
  await Deno.mkdir(app);
  const [build = "", final = ""] = dockerfile.split(/^FROM .*\n/m).slice(1);
  await copyInto(app, build);
  for (const [, command = ""] of build.matchAll(/^RUN deno (.+)$/gm)) {
    await run(Deno.execPath(), {
      args: command.split(" "),
      cwd: app,
      env: { DENO_DIR: join(folder, "deno-dir") },
    });
  }
  await copyInto(app, final);
}

/** Runs a program to its end. @throws {Error} if it fails, with what it said */
export async function run(program: string, options: Omit<Deno.CommandOptions, "stdout" | "stderr">) {
  const { success, stderr } = await new Deno.Command(program, { ...options, stdout: "null", stderr: "piped" })
    .output();
  if (success) return;
  const command = [program, ...options.args ?? []].join(" ");
  throw new Error(`${command}: ${new TextDecoder().decode(stderr).trim()}`);
}

async function copyInto(app: string, stage: string): Promise<void> {
  for (const [, parts = ""] of stage.matchAll(/^COPY (?!--from)(.+)$/gm)) {
    const paths = parts.split(" ");
    const target = join(app, paths.pop() ?? "");
    for (const path of paths) {
      const to = paths.length > 1 ? join(target, path) : target;
      await Deno.mkdir(dirname(to), { recursive: true });
      await run("cp", { args: ["-a", join(ROOT, path), to] });
    }
  }
}
