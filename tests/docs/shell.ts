/** Runs the blocks of a page in one bash, in their order, as a reader would type them. */
import { dirname, join } from "node:path";
import type { Project } from "../support/project.ts";
import type { Block } from "./blocks.ts";
import type { Setup } from "./pages.ts";

const DEADLINE_MS = 300_000;
const PRELUDE = new URL("./prelude.sh", import.meta.url);

export interface PageRun {
  project: Pick<Project, "folder">;
  blocks: readonly Block[];
  setup: Setup;
  /** The address of the test's server, as its superuser. */
  serverUrl: string;
}

/**
 * Runs them until one fails.
 * @throws with the block's place, and what it printed.
 */
export async function runBlocks({ project, blocks, setup, serverUrl }: PageRun): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trainer-assignment-docs-" });
  try {
    const steps = await Promise.all(blocks.map((block, index) => writeStep(folder, index, block, setup)));
    const script = ['. "$PRELUDE"', setup.arrange ?? "use_database", ...steps].join("\n");
    const parent = dirname(project.folder);
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["--noprofile", "--norc", "-c", script],
      cwd: project.folder,
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        HOME: parent,
        DENO_DIR: join(parent, "deno_dir"),
        DENO: join(parent, "deno"),
        PORT: "0",
        FOLDER: folder,
        PRELUDE: PRELUDE.pathname,
        SERVER: serverUrl,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(DEADLINE_MS),
    }).output();
    if (code === 0) return;
    const read = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const last = Number(read(stdout).trim().split("\n").at(-1) || "-1");
    const block = blocks[last];
    const place = block === undefined ? "before the first block" : `${block.page}:${block.line}`;
    const printed = await Deno.readTextFile(join(folder, `${last}.out`)).catch(() => "");
    throw new Error(`${place} fails (exit code ${code}):\n${block?.text ?? ""}\n\n${printed}${read(stderr)}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The lines that run a block; each prints its number, so that the last one tells which failed. */
async function writeStep(folder: string, index: number, block: Block, setup: Setup): Promise<string> {
  const file = join(folder, `${index}.${block.language}`);
  await Deno.writeTextFile(file, fillIn(block, setup));
  const before = Object.entries(setup.before ?? {}).filter(([text]) => block.text.includes(text));
  const run = block.language === "sql" ? `psql -q "$DATABASE_URL" -f "${file}"` : `. "${file}"`;
  return [
    `echo ${index}`,
    "{",
    ...before.map(([, commands]) => commands),
    run,
    `} >"${folder}/${index}.out" 2>&1`,
  ]
    .join("\n");
}

/**
 * Puts values in the place of what a reader fills in.
 * @throws when something remains to be filled in
 */
export function fillIn({ page, line, text, language }: Block, { fill = {} }: Setup): string {
  let filled = text.replaceAll("localhost:8000", "$SERVICE");
  for (const [placeholder, value] of Object.entries(fill)) filled = filled.replaceAll(placeholder, value);
  const code = filled.replaceAll(language === "sql" ? /--.*/g : /(^| )#.*/gm, "");
  const left = /\S*…\S*|\/\{\w+\}/.exec(code)?.[0];
  if (left !== undefined) throw new Error(`${page}:${line}: nothing is given for ${left}`);
  return filled;
}
