import { join } from "node:path";

/** Finds a program as a shell does. */
export async function findOnPath(name: string): Promise<string> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = join(folder, name);
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  throw new Error(`there is no ${name} on the PATH`);
}
