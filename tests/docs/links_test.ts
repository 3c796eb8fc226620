/** What the documentation names exists: pages and their sections, tests, tasks; and each page says whom it is for. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { dirname, join, normalize } from "node:path";
import { z } from "zod";
import { listPages, readPage, ROOT } from "./blocks.ts";

/** Pages whose readers come from elsewhere. */
const WITHOUT_READER = ["README.md", "docs/licences.md"];

const names = [
  ...await listPages(),
  "CONTRIBUTING.md",
  "SECURITY.md",
  "bench/README.md",
  "packages/client/README.md",
];
const pages = await Promise.all(names.map(async (page) => ({ page, text: await readPage(page) })));

describe("the documentation", () => {
  it("links to files, and to sections of pages, that exist", async () => {
    const broken: string[] = [];
    for (const { page, text } of pages) {
      for (const [, target = ""] of withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = "", section] = target.split("#");
        const file = path === "" ? page : normalize(join(dirname(page), path));
        const isThere = await exists(file) &&
          (section === undefined || sectionsOf(await readPage(file)).includes(section));
        if (!isThere) broken.push(`${page}: ${target}`);
      }
    }
    assertEquals(broken, []);
  });

  it("names tests that exist", async () => {
    const missing: string[] = [];
    for (const { page, text } of pages) {
      for (const [, path = ""] of text.matchAll(/`(tests\/[\w/]+(?:\.ts)?)`/g)) {
        if (!await exists(path)) missing.push(`${page}: ${path}`);
      }
    }
    assertEquals(missing, []);
  });

  it("names tasks that exist", async () => {
    const { tasks } = z.object({ tasks: z.record(z.string(), z.unknown()) })
      .parse(JSON.parse(await readPage("deno.json")));
    const named = pages.flatMap(({ page, text }) =>
      [...text.matchAll(/deno task ([a-z]+)/g)].map(([, task = ""]) => ({ page, task }))
    );
    assert(named.length > 50);
    assertEquals(named.filter(({ task }) => !(task in tasks)), []);
  });

  it("has each page in the index, once", async () => {
    const links = (await readPage("docs/index.md")).matchAll(/\]\((\w+\.md)\)/g);
    const listed = [...links].map(([, page]) => `docs/${page}`);
    const own = names.filter((page) => page.startsWith("docs/"));
    assertEquals(listed.length, new Set(listed).size);
    assertEquals(
      own.filter((page) => ![...listed, ...WITHOUT_READER, "docs/index.md"].includes(page)),
      [],
    );
  });

  it("says in the first sentence of each page whom it is for", () => {
    const silent = pages.filter(({ page, text }) =>
      page.startsWith("docs/") && !WITHOUT_READER.includes(page) &&
      !/^# .+\n\n(?:<!-- .+ -->\n+)*\*\*For you\*\* (?:if|when) /.test(text)
    );
    assertEquals(silent.map(({ page }) => page), []);
  });
});

/** The anchors of a page's headings, as GitHub makes them. */
function sectionsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => {
    const anchor = heading.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, "$1").toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(join(ROOT, path)).then(() => true, () => false);
}
