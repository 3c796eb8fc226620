import { listMigrations, readMigration } from "../../src/database/migration_files.ts";

/** A migration as it is written: what goes up, what takes it back. */
export interface MigrationFile {
  name: string;
  up: string;
  down: string;
}

/** Reads all migrations, oldest first. */
export async function readMigrations(): Promise<MigrationFile[]> {
  const files = await listMigrations();
  return await Promise.all(files.map(async ({ file }) => ({ name: file, ...await readMigration(file) })));
}
