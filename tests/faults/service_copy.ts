import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceChange } from "./planted_bug.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The checkout itself, whose service runs where nothing is changed. */
export const PROJECT_FOLDER = ROOT;

/**
 * Copies the service into a folder and changes some of its files: a version with a bug, or another release. The packages
 * are shared with the checkout.
 */
export async function copyService(folder: string, changes: readonly SourceChange[]): Promise<string> {
  await Deno.mkdir(folder);
  const copy = new Deno.Command("cp", {
    args: [
      "-a",
      ...["main.ts", "deno.json", "deno.lock", "src", "db"].map((part) => join(ROOT, part)),
      folder,
    ],
  });
  if (!(await copy.spawn().status).success) throw new Error(`cannot copy the service to ${folder}`);
  await Deno.symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const change of changes) {
    const path = join(folder, change.file);
    await Deno.writeTextFile(path, changeText(await Deno.readTextFile(path), change));
  }
  return folder;
}

/** Changes a file's text. @throws {Error} when it does not contain what is to be replaced */
export function changeText(text: string, { file, from, to }: SourceChange): string {
  if (!text.includes(from)) throw new Error(`${file} does not contain: ${from}`);
  return text.replace(from, () => to);
}
