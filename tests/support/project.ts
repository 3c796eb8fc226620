import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const tasksSchema = z.object({ tasks: z.record(z.string(), z.object({ command: z.string() })) });

/** A copy of the project in a temporary folder, to use as a newcomer would: `.data` and all. */
export interface Project {
  folder: string;
  /** Runs a task to its end. */
  run(
    task: string,
    args?: string[],
    environment?: Record<string, string>,
    /** What it reads from standard input; nothing by default. */
    input?: string,
  ): Promise<TaskResult>;
  /** Starts a task that goes on. */
  spawn(task: string, environment?: Record<string, string>, args?: string[]): RunningTask;
  /** The same copy, its tasks run as our own account. */
  asOurselves(): Project;
  remove(): Promise<void>;
}

export interface TaskResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunningTask {
  pid: number;
  /** Everything printed so far. */
  output(): string;
  /** Waits until a line is printed; returns its match. Rejects when the task ends without. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Does nothing once the task has ended. */
  kill(signal: Deno.Signal): void;
  /** The exit code. */
  ended: Promise<number>;
}

/**
 * Copies what a checkout holds, with the packages installed.
 * @param owner as root: the account that owns the copy and runs its tasks
 */
export async function copyProject(owner?: Account): Promise<Project> {
  const parent = await Deno.makeTempDir({ prefix: "trainer-assignment-" });
  await Deno.chmod(parent, 0o755);
  const folder = join(parent, "project");
  await Deno.mkdir(folder);
  await copy(
    ["main.ts", "deno.json", "deno.lock", "src", "db", "node_modules"].map((part) => join(ROOT, part)),
    folder,
  );
  await copy([Deno.execPath()], join(parent, "deno")); // ours may lie where only root may enter
  if (owner !== undefined) {
    await Deno.chown(parent, owner.uid, owner.gid);
    await must("chown", ["-R", `${owner.uid}:${owner.gid}`, folder]);
  }

  const environment = { HOME: parent, DENO_DIR: join(parent, "deno_dir") };
  return projectIn(folder, { program: join(parent, "deno"), environment, owner });
}

/**
 * The checkout itself, for what leaves no trace in it.
 * @param permissions beyond those of the tasks
 */
export function projectItself(permissions: string[] = []): Omit<Project, "remove" | "asOurselves"> {
  const { HOME = "", DENO_DIR = "" } = Deno.env.toObject();
  return projectIn(ROOT, {
    program: Deno.execPath(),
    environment: DENO_DIR === "" ? { HOME } : { HOME, DENO_DIR },
    permissions,
  });
}

export interface Runner {
  program: string;
  environment: Record<string, string>;
  owner?: Account | undefined;
  /** Flags before `main.ts`. */
  permissions?: string[];
}

/**
 * A project in a folder: tasks run there with the runner's program and environment. In the checkout itself they take the
 * packages as they are: several processes use them at once, and one that links them anew lets another find none.
 */
export function projectIn(folder: string, runner: Runner): Project {
  const isCheckout = resolve(folder) === resolve(ROOT);
  const { tasks } = tasksSchema.parse(JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))));
  const command = (task: string, args: string[], environment: Record<string, string>, input?: string) =>
    new Deno.Command(runner.program, {
      args: [
        ...(tasks[task]?.command.split(" ").slice(1) ?? []).flatMap((part) =>
          part === "main.ts" ? [...(runner.permissions ?? []), part] : [part]
        ).map((part) =>
          isCheckout ? part.replace("--node-modules-dir=auto", "--node-modules-dir=manual") : part
        ),
        ...args,
      ],
      cwd: folder,
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "", PORT: "0", ...runner.environment, ...environment },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...runner.owner,
    });
  return {
    folder,
    async run(task, args = [], environment = {}, input) {
      const { code, stdout, stderr } = await outputOf(command(task, args, environment, input), input);
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
    spawn: (task, environment = {}, args = []) => follow(command(task, args, environment).spawn()),
    asOurselves: () => projectIn(folder, { ...runner, owner: undefined }),
    remove: () => Deno.remove(dirname(folder), { recursive: true }),
  };
}

async function outputOf(command: Deno.Command, input: string | undefined): Promise<Deno.CommandOutput> {
  if (input === undefined) return await command.output();
  const child = command.spawn();
  const [output] = await Promise.all([child.output(), new Blob([input]).stream().pipeTo(child.stdin)]);
  return output;
}

export interface Account {
  uid: number;
  gid: number;
}

export function follow(child: Deno.ChildProcess): RunningTask {
  let text = "";
  let changed = Promise.withResolvers<void>();
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      changed.resolve();
      changed = Promise.withResolvers();
    }
  };
  let hasEnded = false;
  const ended = Promise.all([child.status, read(child.stdout), read(child.stderr)]).then(([{ code }]) => {
    hasEnded = true;
    changed.resolve();
    return code;
  });
  return {
    pid: child.pid,
    output: () => text,
    async line(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match !== null) return match;
        if (hasEnded) throw new Error(`the task ended without printing ${pattern}:\n${text}`);
        await changed.promise;
      }
    },
    kill(signal) {
      if (!hasEnded) child.kill(signal);
    },
    ended,
  };
}

async function copy(paths: string[], to: string): Promise<void> {
  await must("cp", ["-a", ...paths, to]);
}

async function must(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
}
