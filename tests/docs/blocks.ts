/** The fenced blocks of the documentation, and what their pages say of how they are kept true. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Languages that need no proof: diagrams, and what programs print, which has none. */
const SHOWN_ONLY = ["mermaid", "text", ""];
/** How commands begin: they need a language. */
const COMMAND = /^(?:deno|curl|psql|select|insert|[A-Z_]+=) ?/m;
/** Languages that the runner runs. */
const RUNNABLE = ["sh", "sql"];

export interface Block {
  page: string;
  /** The line of its fence. */
  line: number;
  language: string;
  text: string;
  kept: Kept;
}

/** How a block is kept true. `unmarked`: nothing does, and the page does not say why. */
export type Kept =
  | { by: "runner" | "unmarked" }
  | { by: "test"; file: string }
  | { by: "nobody"; reason: string };

/** Lists the pages: the README, and those of docs/. */
export async function listPages(): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(join(ROOT, "docs")))).map(({ name }) => name);
  return ["README.md", ...names.filter((name) => name.endsWith(".md")).sort().map((name) => `docs/${name}`)];
}

export async function readPage(page: string): Promise<string> {
  return await Deno.readTextFile(join(ROOT, page));
}

/**
 * Reads the blocks of a page. A comment says it of the block right below, or with a language of all such blocks of
 * the page: `<!-- not run: REASON -->`, `<!-- run by: TEST FILE -->`, `<!-- ts run by: TEST FILE -->`.
 */
export function readBlocks(page: string, markdown: string): Block[] {
  const lines = markdown.split("\n");
  const ofLanguage = new Map(
    lines.map(readMarker).filter((marker) => marker !== null && marker.language !== "")
      .map((marker) => [marker?.language, marker?.kept]),
  );
  const blocks: Block[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, indent = "", language = ""] = /^( *)```(\w*)/.exec(lines[index] ?? "") ?? [];
    if (!lines[index]?.startsWith(`${indent}\`\`\``)) continue;
    const end = lines.indexOf(`${indent}\`\`\``, index + 1);
    if (end === -1) throw new Error(`${page}:${index + 1} does not end`);
    const above = lines.slice(0, index).findLast((line) => line.trim() !== "") ?? "";
    const marker = readMarker(above);
    blocks.push({
      page,
      line: index + 1,
      language,
      text: lines.slice(index + 1, end).map((line) => line.slice(indent.length)).join("\n"),
      kept: (marker?.language === "" ? marker.kept : ofLanguage.get(language)) ??
        { by: RUNNABLE.includes(language) ? "runner" : "unmarked" },
    });
    index = end;
  }
  return blocks.filter(({ language, text }) => !SHOWN_ONLY.includes(language) || COMMAND.test(text));
}

function readMarker(line: string): { language: string; kept: Kept } | null {
  const [, language = "", how, what = ""] = /^ *<!-- (?:(\w+) )?(not run|run by):? ?(.*?) ?-->$/.exec(line) ??
    [];
  if (how === undefined) return null;
  return { language, kept: how === "run by" ? { by: "test", file: what } : { by: "nobody", reason: what } };
}
