/**
 * What `deno task schema` runs: writes db/schema.sql, which shows in a review what a migration changes. With `--check`
 * it only tells whether the file is up to date. It needs PostgreSQL 15 (Debian's postgresql-15): the packages from npm
 * have no pg_dump, and one version makes one dump.
 */
import { fileURLToPath } from "node:url";
import { migrateUp } from "../src/database/migrate.ts";
import { pgDump } from "../tests/support/pg_dump.ts";
import { startTestServer } from "../tests/support/servers.ts";

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
  const noise = /^(?:--|SET |SELECT pg_catalog\.set_config)/;
  const lines = dump.split("\n").filter((line) => !noise.test(line));
  return `${lines.join("\n").replaceAll(/\n{3,}/g, "\n\n").trim()}\n`;
}
