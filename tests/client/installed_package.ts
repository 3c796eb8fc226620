/** The typed client as users of the package have it: the archive of `npm pack`, installed in a folder of their own. */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { z } from "zod";
import { findOnPath } from "../support/programs_on_path.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const PACKAGE = join(ROOT, "packages/client");
/** The programs that use it. `types.ts` is for the compiler alone. */
export const PROGRAMS = join(ROOT, "tests/client/consumer");

const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
/** What a user with strict types has; the types of the package are checked, too. */
const STRICT = {
  target: "es2023",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
};
const packedSchema = z.tuple([
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
]);

/** A folder with the installed package. */
export interface Consumer {
  folder: string;
  /** The paths in the archive. */
  packed: string[];
  /** Compiles programs into `.js` files beside them; throws what the compiler says. */
  compile(options: Record<string, unknown>, include: readonly string[]): Promise<void>;
  /** Runs a program with Node; returns what it printed. */
  node(program: string, args: readonly string[]): Promise<string>;
  /** Runs a program with Deno, which may reach one host and takes the installed package. */
  deno(program: string, args: readonly string[], host: string): Promise<string>;
  /** Runs a program with Deno, which may reach one host, on the package's sources. */
  denoOnSources(program: string, args: readonly string[], host: string): Promise<string>;
  remove(): Promise<void>;
}

/** Packs the package and installs it. No registry is asked. */
export async function installPackage(): Promise<Consumer> {
  const parent = await Deno.makeTempDir({ prefix: "trainer-assignment-consumer-" });
  const [copy, folder, home] = ["client", "program", "home"].map((name) => join(parent, name));
  if (copy === undefined || folder === undefined || home === undefined) throw new Error("no folders");
  await Promise.all([copy, folder, home].map((each) => Deno.mkdir(each)));
  const npm = await findOnPath("npm");
  const nodeProgram = await findOnPath("node");
  const environment = {
    PATH: `${join(ROOT, "node_modules/.bin")}:${Deno.env.get("PATH")}`,
    HOME: home,
    DENO_DIR: join(home, "deno"),
    npm_config_offline: "true",
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
  };
  const run = (program: string, args: readonly string[], cwd = folder) =>
    outputOf(program, { args: [...args], cwd, clearEnv: true, env: environment, stdin: "null" });

  const parts = ["LICENSE", "README.md", "package.json", "tsconfig.json", "src"];
  await run("cp", ["-a", ...parts.map((part) => join(PACKAGE, part)), copy]);
  const [{ filename, files }] = packedSchema.parse(
    JSON.parse(lastJson(await run(npm, ["pack", "--json", `--pack-destination=${folder}`], copy))),
  );
  await Deno.writeTextFile(
    join(folder, "package.json"),
    '{ "name": "program", "private": true, "type": "module" }',
  );
  await run(npm, ["install", `./${filename}`]);
  await Deno.mkdir(join(folder, "node_modules/@types"));
  const nodeTypes = await Deno.realPath(join(ROOT, "node_modules/@types/node"));
  await Deno.symlink(nodeTypes, join(folder, "node_modules/@types/node"));
  await Deno.writeTextFile(
    join(home, "import_map.json"),
    JSON.stringify({
      imports: { "trainer-assignment-client": pathToFileURL(join(PACKAGE, "src/mod.ts")).href },
    }),
  );
  const cached = ["run", "-q", "--no-prompt", "--cached-only"];
  return {
    folder,
    packed: files.map(({ path }) => path),
    async compile(options, include) {
      const config = { compilerOptions: { ...STRICT, ...options }, include };
      await Deno.writeTextFile(join(folder, "tsconfig.json"), JSON.stringify(config));
      await run(nodeProgram, [TSC]);
    },
    node: (program, args) => run(nodeProgram, [program, ...args]),
    deno: (program, args, host) => run(Deno.execPath(), [...cached, `--allow-net=${host}`, program, ...args]),
    denoOnSources: (program, args, host) =>
      run(Deno.execPath(), [
        ...cached,
        "--no-config",
        "--no-npm",
        `--import-map=${join(home, "import_map.json")}`,
        `--allow-net=${host}`,
        program,
        ...args,
      ]),
    remove: () => Deno.remove(parent, { recursive: true }),
  };
}

/** What `npm pack` prints last; before it is what its scripts say. */
function lastJson(text: string): string {
  return text.slice(text.search(/^\[$/m));
}

async function outputOf(program: string, options: Deno.CommandOptions): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, options).output();
  const decoder = new TextDecoder();
  const printed = decoder.decode(stdout);
  if (!success) {
    throw new Error(`${program} ${options.args?.join(" ")}:\n${printed}${decoder.decode(stderr)}`);
  }
  return printed;
}
