/** README.md and docs/: their commands work as they stand there, each page from top to bottom. */
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { parseConfig } from "../../src/config.ts";
import { VARIABLES } from "../../src/config/variables.ts";
import { findTestFiles } from "../support/test_files.ts";
import { serverUrl } from "../support/databases.ts";
import { requireProgram } from "../support/debian_program.ts";
import { findOnPath } from "../support/programs_on_path.ts";
import { copyProject, type Project } from "../support/project.ts";
import { type Block, listPages, readBlocks, readPage } from "./blocks.ts";
import { SETUPS } from "./pages.ts";
import { fillIn, runBlocks } from "./shell.ts";

const pages = await Promise.all(
  (await listPages()).map(async (page) => ({ page, text: await readPage(page) })),
);
const blocks = pages.flatMap(({ page, text }) => readBlocks(page, text));

describe("the documentation's blocks", () => {
  let project: Project;
  beforeAll(async () => {
    for (const [name, debianPackage] of [["psql", "postgresql-client"], ["curl", "curl"]] as const) {
      const isThere = await findOnPath(name).then(() => true, () => false);
      if (!isThere) await requireProgram(`/usr/bin/${name}`, debianPackage);
    }
    project = await copyProject();
  });
  afterAll(() => project.remove());
  afterAll(() => console.log(summarize()));

  it("run, or say who else runs them, or why nobody does", async () => {
    const unkept = blocks.filter(({ kept }) =>
      kept.by === "unmarked" || (kept.by === "nobody" && kept.reason.length < 10)
    );
    assertEquals(unkept.map(({ page, line, language }) => `${page}:${line} ${language}`), []);
    for (const { page, kept } of blocks) {
      if (kept.by !== "test") continue;
      assertEquals(await findTestFiles([kept.file]), [kept.file]);
      assertEquals(
        (await Deno.readTextFile(kept.file)).includes(page),
        true,
        `${kept.file} does not name ${page}`,
      );
    }
  });

  it("have their settings taken by the service", () => {
    for (const block of blocks.filter(({ kept }) => kept.by === "runner")) {
      const settings = readSettings(fillIn(block, SETUPS[block.page] ?? {}));
      if (settings !== null) parseConfig(settings);
    }
  });

  for (const { page } of pages) {
    const own = blocks.filter((block) => block.page === page && block.kept.by === "runner");
    if (own.length === 0) continue;
    it(`of ${page} work, in their order`, () =>
      runBlocks({ project, blocks: own, setup: SETUPS[page] ?? {}, serverUrl: serverUrl() }));
  }
});

/** The settings of a block that has nothing else; null for any other block. */
function readSettings(text: string): Record<string, string> | null {
  const lines = text.split("\n").map((line) => line.replace(/ +#.*/, ""));
  const settings = lines.map((line) => /^([A-Z_]+)=([^$]+)$/.exec(line)?.slice(1) ?? []);
  if (settings.some(([name]) => name === undefined || !(name in VARIABLES))) return null;
  return Object.fromEntries(settings);
}

function summarize(): string {
  const count = (by: Block["kept"]["by"]) => blocks.filter(({ kept }) => kept.by === by).length;
  const left = blocks.flatMap(({ page, line, kept }) =>
    kept.by === "nobody" ? [`  not run: ${page}:${line}: ${kept.reason}`] : []
  );
  return [
    `${blocks.length} blocks: ${count("runner")} run here, ${
      count("test")
    } by other tests, ${left.length} by none`,
    ...left,
  ].join("\n");
}
