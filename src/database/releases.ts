import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { versionOf } from "./migration_files.ts";

/** A list of migrations for each release, and a dump for the tests of upgrades; `deno task release` writes them. */
export const RELEASES_FOLDER = fileURLToPath(new URL("../../db/releases", import.meta.url));

/** A release, and its migrations as they are from then on. */
export interface Release {
  version: string;
  migrations: { file: string; sha256: string }[];
}

/** Lists the releases, oldest first. */
export async function listReleases(): Promise<Release[]> {
  const files = (await Array.fromAsync(Deno.readDir(RELEASES_FOLDER))).map(({ name }) => name);
  const versions = files.filter((file) => file.endsWith(".sha256")).map((file) =>
    file.replace(".sha256", "")
  );
  versions.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  return await Promise.all(versions.map(readRelease));
}

async function readRelease(version: string): Promise<Release> {
  const text = await Deno.readTextFile(join(RELEASES_FOLDER, `${version}.sha256`));
  return { version, migrations: parseChecksums(text) };
}

/** Reads what sha256sum writes. */
export function parseChecksums(text: string): Release["migrations"] {
  return [...text.matchAll(/^([0-9a-f]{64}) [ *](\S+)$/gm)].map(([, sha256 = "", file = ""]) => ({
    file,
    sha256,
  }));
}

/**
 * Names the newest release whose migrations are all among these, and how many there are besides.
 * @param versions of migrations
 */
export function nameRelease(versions: readonly string[], releases: readonly Release[]): string {
  const release = releases.findLast(({ migrations }) =>
    migrations.every(({ file }) => versions.includes(versionOf(file)))
  );
  if (release === undefined) {
    return releases[0] === undefined ? "not released" : `before ${releases[0].version}`;
  }
  const more = versions.length - release.migrations.length;
  return more === 0 ? release.version : `${release.version} and ${more} migration(s) more`;
}
