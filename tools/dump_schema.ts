/**
 * What `deno task schema` runs: writes db/schema.sql, which shows in a review what a migration changes, and from
 * which /readyz and `migrate repair` know what must exist: what a statement makes stands above it. With `--check`
 * it only tells whether the file is up to date. It needs PostgreSQL 15 (Debian's postgresql-15): the packages from npm
 * have no pg_dump, and one version makes one dump.
 */
import { fileURLToPath } from "node:url";
import { formatHeading } from "../src/database/structure/schema_file.ts";
import { migrateUp } from "../src/database/migrate.ts";
import { pgDump } from "../tests/support/pg_dump.ts";
import { startTestServer } from "../tests/support/servers.ts";

const NOISE = /^(?:--(?! [A-Z ]+: )|-- (?:Name|Dumped from|Dumped by)|SET |SELECT pg_catalog\.set_config)/;
const file = fileURLToPath(new URL("../db/schema.sql", import.meta.url));
const server = await startTestServer("15");
let schema: string;
try {
  await migrateUp(server.url);
  schema = await dumpSchema(server.url);
} finally {
  await server.remove();
}

if (!Deno.args.includes("--check")) {
  await Deno.writeTextFile(file, schema);
} else if (await Deno.readTextFile(file).catch(() => "") !== schema) {
  console.error("db/schema.sql is not what the migrations make: run `deno task schema`");
  Deno.exit(1);
}

async function dumpSchema(url: string): Promise<string> {
  const dump = await pgDump(url, [
    "--schema-only",
    "--no-owner",
    "--exclude-table=assignment.schema_migrations",
  ]);
  const lines = dump.split("\n").map(toHeading).filter((line) => !NOISE.test(line));
  return `${lines.join("\n").replaceAll(/\n{3,}/g, "\n\n").trim()}\n`;
}

/** A comment stays with the object above it, without a heading of its own. */
function toHeading(line: string): string {
  const [, name, type, schema] = /^-- Name: (.+); Type: (.+); Schema: (.+); Owner: .*$/.exec(line) ?? [];
  if (name === undefined || type === undefined || schema === undefined || type === "COMMENT") return line;
  return formatHeading(type, schema === "-" ? name : `${schema}.${name}`);
}
