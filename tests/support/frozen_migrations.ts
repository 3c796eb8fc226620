import { hash } from "node:crypto";
import { join } from "node:path";
import { listMigrations, MIGRATIONS_FOLDER } from "../../src/database/migration_files.ts";
import type { Release } from "../../src/database/releases.ts";

type Checksum = Release["migrations"][number];

/** Lists the migrations of db/migrations with their checksums, oldest first. */
export async function listChecksums(): Promise<Checksum[]> {
  return await Promise.all((await listMigrations()).map(async ({ file }) => {
    const bytes = await Deno.readFile(join(MIGRATIONS_FOLDER, file));
    return { file, sha256: hash("sha256", bytes) };
  }));
}

/** Describes each of a release's migrations that is no longer what it was, and each new one among them; and what to do. */
export function findThawed({ version, migrations }: Release, today: readonly Checksum[]): string[] {
  const now = new Map(today.map(({ file, sha256 }) => [file, sha256]));
  const released = new Set(migrations.map(({ file }) => file));
  const last = migrations.at(-1)?.file ?? "";
  const changed = migrations.filter(({ file, sha256 }) => now.get(file) !== sha256).map(({ file }) =>
    now.has(file)
      ? `${file} has changed since ${version}, where it was applied as it was: restore it, and put the change into a new migration`
      : `${file} is missing, and ${version} has applied it: restore it under this name`
  );
  const inserted = today.filter(({ file }) => file < last && !released.has(file)).map(({ file }) =>
    `${file} comes before the last one of ${version}, ${last}: upgrades would apply them in another order than new ` +
    "installations do. Give it a later number"
  );
  return [...changed, ...inserted];
}
