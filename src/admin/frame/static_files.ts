import { hash } from "node:crypto";
import type { Context } from "hono";

/** Each file and what it is made of: the style sheet is one for browsers, and several for its readers. */
const SOURCES = {
  "admin.css": {
    contentType: "text/css; charset=utf-8",
    parts: ["base", "frame", "blocks", "runs", "forms", "surroundings"].map((name) => `css/${name}.css`),
  },
  "admin.js": { contentType: "text/javascript; charset=utf-8", parts: ["admin.js"] },
  "icon.svg": { contentType: "image/svg+xml; charset=utf-8", parts: ["icon.svg"] },
} as const;

export type StaticFile = keyof typeof SOURCES;

interface LoadedFile {
  content: string;
  contentType: string;
  version: string;
}

let loaded: ReadonlyMap<string, LoadedFile> | undefined;

/** Read at the first page rather than at the import, for commands that show none may not read. */
function loadFiles(): ReadonlyMap<string, LoadedFile> {
  return loaded ??= new Map(
    Object.entries(SOURCES).map(([name, { contentType, parts }]) => {
      const content = parts.map((part) => Deno.readTextFileSync(new URL(`./static/${part}`, import.meta.url)))
        .join("\n");
      return [name, { content, contentType, version: hash("sha256", content, "hex").slice(0, 12) }];
    }),
  );
}

/** The address of a file; it changes with the content, so that browsers may keep the file for good. */
export function staticPath(name: StaticFile): string {
  return `/admin/static/${loadFiles().get(name)?.version}/${name}`;
}

/** Serves a file, undefined when there is none. An old address gets the content of now, not to be kept. */
export function serveStatic(c: Context, name: string, version: string): Response | undefined {
  const file = loadFiles().get(name);
  if (file === undefined) return undefined;
  const caching = version === file.version ? "public, max-age=31536000, immutable" : "no-cache";
  return c.body(file.content, 200, { "Content-Type": file.contentType, "Cache-Control": caching });
}
