/**
 * What `deno task release` runs: writes, of the version in deno.json, db/releases/<version>.sha256 (its migrations, which
 * are frozen from then on), <version>.sql (a dump of an installation, for the tests of upgrades) and <version>.journal
 * (what was done in it, for the oracle of the experiments). `--again` overwrites them, before the release is out. It needs
 * PostgreSQL 15 (Debian's postgresql-15), whose dumps later versions load, too.
 */
import { join } from "node:path";
import { listReleases, RELEASES_FOLDER } from "../src/database/releases.ts";
import { VERSION } from "../src/version.ts";
import { Report } from "../tests/faults/experiment.ts";
import { furnish, leaveRunsPaused } from "../tests/faults/installation.ts";
import { inWorld } from "../tests/faults/world.ts";
import { findThawed, listChecksums } from "../tests/support/frozen_migrations.ts";
import { dumpRelease } from "../tests/support/releases.ts";

const SEED = 20261129;

const isAgain = Deno.args.includes("--again");
const releases = await listReleases();
const others = releases.filter(({ version }) => version !== VERSION);
const migrations = await listChecksums();
const thawed = others.flatMap((release) => findThawed(release, migrations));
if (thawed.length > 0) fail(thawed.join("\n"));
if (others.length < releases.length && !isAgain) {
  fail(
    `${VERSION} is in db/releases: set the next version in deno.json, or, if it is not out yet, add --again`,
  );
}

const report = new Report();
await inWorld({ seed: SEED, scale: "short", report }, { version: "15" }, async (world) => {
  const trainers = await furnish(world);
  await world.judge();
  const broken = report.violations.map(({ rule, detail }) => `${rule}: ${detail}`);
  if (broken.length > 0) throw new Error(broken.join("\n"));
  await leaveRunsPaused(world, trainers);
  const checksums = migrations.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join("");
  await write("sha256", checksums);
  await write("sql", await dumpRelease(world.server.url));
  await write("journal", await Deno.readTextFile(world.journal.path));
});

async function write(ending: string, text: string): Promise<void> {
  await Deno.writeTextFile(join(RELEASES_FOLDER, `${VERSION}.${ending}`), text);
  console.log(`db/releases/${VERSION}.${ending}`);
}

function fail(problem: string): never {
  console.error(problem);
  Deno.exit(1);
}
