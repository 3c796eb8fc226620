import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../db/migrations", import.meta.url));

/** Lists the migrations of this program, oldest first. */
export async function listMigrations(): Promise<{ version: string; file: string }[]> {
  const files = (await Array.fromAsync(Deno.readDir(MIGRATIONS_FOLDER))).map(({ name }) => name);
  return files.filter((file) => file.endsWith(".sql")).sort().map((file) => ({
    version: versionOf(file),
    file,
  }));
}

/** The version of a migration, by which the database records it. */
export function versionOf(file: string): string {
  return file.slice(0, file.indexOf("_"));
}

/** Reads the statements of a migration, up and down. */
export async function readMigration(file: string): Promise<{ up: string; down: string }> {
  const text = await Deno.readTextFile(join(MIGRATIONS_FOLDER, file));
  const [, up = "", down = ""] = text.split(/^-- migrate:(?:up|down).*$/m);
  return { up, down };
}
