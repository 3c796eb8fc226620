import { hash } from "node:crypto";
import type { Context } from "hono";

/** Each file and its source files. The style sheet has several, for easier reading. */
const SOURCES = {
  "admin.css": {
    contentType: "text/css; charset=utf-8",
    parts: ["base", "frame", "blocks", "runs", "forms", "policy", "surroundings"].map((name) =>
      `css/${name}.css`
    ),
  },
  "admin.js": { contentType: "text/javascript; charset=utf-8", parts: ["admin.js", "sort.js", "pick.js"] },
  "icon.svg": { contentType: "image/svg+xml; charset=utf-8", parts: ["icon.svg"] },
} as const;

export type StaticFile = keyof typeof SOURCES;

interface LoadedFile {
  content: string;
  contentType: string;
  version: string;
}

let loaded: ReadonlyMap<string, LoadedFile> | undefined;

/**
 * Loads the files at the first page, not at the import: commands without pages may lack the permission to read
 * them.
 */
function loadFiles(): ReadonlyMap<string, LoadedFile> {
  return loaded ??= new Map(
    Object.entries(SOURCES).map(([name, { contentType, parts }]) => {
      const content = parts.map((part) => Deno.readTextFileSync(new URL(`./static/${part}`, import.meta.url)))
        .join("\n");
      return [name, { content, contentType, version: hash("sha256", content, "hex").slice(0, 12) }];
    }),
  );
}

/** Returns the address of a file. It changes with the content, so that browsers can cache the file forever. */
export function staticPath(name: StaticFile): string {
  return `/admin/static/${loadFiles().get(name)?.version}/${name}`;
}

/** Serves a file; undefined if there is none. An outdated address gets the current content, uncached. */
export function serveStatic(c: Context, name: string, version: string): Response | undefined {
  const file = loadFiles().get(name);
  if (file === undefined) return undefined;
  const caching = version === file.version ? "public, max-age=31536000, immutable" : "no-cache";
  return c.body(file.content, 200, { "Content-Type": file.contentType, "Cache-Control": caching });
}
