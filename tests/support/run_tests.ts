/**
 * What `deno task test` runs: one PostgreSQL for the whole run, a migrated template to clone, then `deno test`.
 * Arguments are `deno test`'s own: `deno task test tests/unit/config_test.ts --filter token`.
 * PG_VERSION (15 to 18) chooses the server; on any but 18, which the service runs, only the database's tests run.
 * THROUGH_POOLER=1 has all that the service does go through a PgBouncer in transaction mode.
 */
import { z } from "zod";
import { SERVICE_ROLE } from "./databases.ts";
import { type PgBouncer, startPgBouncer } from "./pgbouncer.ts";
import { type PostgresVersion, startTestServer } from "./servers.ts";
import { createTemplate, startTests } from "./test_run.ts";

const version = z.enum(["15", "16", "17", "18"]).parse(Deno.env.get("PG_VERSION") ?? "18");
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {}); // the tests end, then we clean up

const server = await startTestServer(version);
let pooler: PgBouncer | undefined;
let exitCode = 1;
try {
  await createTemplate(server.url);
  if (Deno.env.get("THROUGH_POOLER") === "1") {
    pooler = await startPgBouncer({ serverUrl: server.url, users: [SERVICE_ROLE], connections: 20 });
  }
  exitCode = await runTests(server.url, version, pooler?.urlOf("postgres"));
} finally {
  await pooler?.stop();
  await server.remove();
}
Deno.exit(exitCode);

async function runTests(serverUrl: string, version: PostgresVersion, poolerUrl?: string): Promise<number> {
  const paths = await anyExists(Deno.args) ? [] : [version === "18" ? "tests/" : "tests/database/"];
  const tests = startTests({ serverUrl, version, poolerUrl, args: [...Deno.args, ...paths] });
  const { code, passed, failed, skipped } = await tests.ended;
  console.log(`\nPostgreSQL ${version}${poolerUrl === undefined ? "" : ", by way of PgBouncer"}`);
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return code;
}

async function anyExists(paths: string[]): Promise<boolean> {
  const found = await Promise.all(paths.map((path) => Deno.stat(path).then(() => true, () => false)));
  return found.includes(true);
}
