import { fileURLToPath } from "node:url";

/** A migration as it is written: what goes up, what takes it back. */
export interface MigrationFile {
  name: string;
  up: string;
  down: string;
}

/** Reads all migrations, oldest first. */
export async function readMigrations(): Promise<MigrationFile[]> {
  const folder = fileURLToPath(new URL("../../db/migrations/", import.meta.url));
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  return await Promise.all(names.map(async (name) => {
    const text = await Deno.readTextFile(`${folder}/${name}`);
    const [, up, down] = text.split(/^-- migrate:(?:up|down).*$/m);
    return { name, up: up ?? "", down: down ?? "" };
  }));
}
