/**
 * What `deno task test` runs: one PostgreSQL for the whole run, a migrated template to clone, then `deno test`.
 * Arguments are `deno test`'s own: `deno task test tests/unit/config_test.ts --filter token`.
 * PG_VERSION (15 to 18) chooses the server; on any but 18, which the service runs, only the database's tests run.
 */
import { z } from "zod";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { SERVICE_ROLE, TEMPLATE } from "./databases.ts";
import { startTestServer } from "./servers.ts";
import { countTests } from "./test_report.ts";

const version = z.enum(["15", "16", "17", "18"]).parse(Deno.env.get("PG_VERSION") ?? "18");
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {}); // the tests end, then we clean up

const report = await Deno.makeTempFile({ suffix: ".xml" });
const server = await startTestServer(version);
let exitCode = 1;
try {
  await createTemplate(server.url);
  exitCode = await runTests(server.url);
} finally {
  await server.remove();
  await Deno.remove(report);
}
Deno.exit(exitCode);

async function createTemplate(url: string): Promise<void> {
  const sql = openDatabase(url, { max: 1, applicationName: "test template" });
  await sql`create database ${sql(TEMPLATE)} template template0`;
  const templateUrl = Object.assign(new URL(url), { pathname: `/${TEMPLATE}` }).href;
  await migrateUp(templateUrl);
  const template = openDatabase(templateUrl, { max: 1, applicationName: "test template" });
  await template`
    insert into public.members (id, display_name)
    select default_trainer_id, 'Default trainer'
    from assignment.settings
  `;
  await template.unsafe(`create role ${SERVICE_ROLE} login password '${new URL(url).password}'`);
  await closeDatabase(template);
  await sql`alter database ${sql(TEMPLATE)} allow_connections false`;
  await closeDatabase(sql);
}

async function runTests(url: string): Promise<number> {
  const paths = await anyExists(Deno.args) ? [] : [version === "18" ? "tests/" : "tests/database/"];
  const tests = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", `--junit-path=${report}`, ...Deno.args, ...paths],
    env: { TEST_DATABASE_URL: url, TEST_POSTGRES_VERSION: version },
  });
  const { code } = await tests.spawn().status;
  const { passed, failed, skipped } = countTests(await Deno.readTextFile(report));
  const failures = code === 0 ? failed : Math.max(failed, 1); // a file that does not load is in no report
  console.log(`\nPostgreSQL ${version}`);
  console.log(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return code;
}

async function anyExists(paths: string[]): Promise<boolean> {
  const found = await Promise.all(paths.map((path) => Deno.stat(path).then(() => true, () => false)));
  return found.includes(true);
}
