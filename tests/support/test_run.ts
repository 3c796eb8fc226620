import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { SERVICE_ROLE, TEMPLATE } from "./databases.ts";
import type { PostgresVersion } from "./servers.ts";
import { readTestReport, type TestCounts } from "./test_report.ts";

/** Makes what every test's database is cloned from: migrated, with the default trainer as its only member. */
export async function createTemplate(serverUrl: string): Promise<void> {
  const sql = openDatabase(serverUrl, { max: 1, applicationName: "test template" });
  await sql`create database ${sql(TEMPLATE)} template template0`;
  const templateUrl = Object.assign(new URL(serverUrl), { pathname: `/${TEMPLATE}` }).href;
  await migrateUp(templateUrl);
  const template = openDatabase(templateUrl, { max: 1, applicationName: "test template" });
  await template`
    insert into public.members (id, display_name)
    select default_trainer_id, 'Default trainer'
    from assignment.settings
  `;
  await template.unsafe(`create role ${SERVICE_ROLE} login password '${new URL(serverUrl).password}'`);
  await closeDatabase(template);
  await sql`alter database ${sql(TEMPLATE)} allow_connections false`;
  await closeDatabase(sql);
}

export interface TestRunOptions {
  serverUrl: string;
  version: PostgresVersion;
  /** Where a pooler before that server listens: what services do goes through it. */
  poolerUrl?: string | undefined;
  /** For `deno test`: files, folders, a filter. */
  args: readonly string[];
  /** Keeps what `deno test` prints, to return it, instead of showing it. */
  quiet?: boolean;
}

export interface TestResult extends TestCounts {
  code: number;
  /** What `deno test` printed; empty where it was shown. */
  output: string;
}

/** Tests under way. */
export interface TestRun {
  ended: Promise<TestResult>;
  stop(): void;
}

/** Starts `deno test` on a server that {@link createTemplate} has prepared. */
export function startTests({ serverUrl, version, poolerUrl, args, quiet = false }: TestRunOptions): TestRun {
  const report = Deno.makeTempFileSync({ suffix: ".xml" });
  const stdio = quiet ? "piped" : "inherit";
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", `--junit-path=${report}`, ...args],
    env: {
      TEST_DATABASE_URL: serverUrl,
      TEST_POSTGRES_VERSION: version,
      ...(poolerUrl === undefined ? {} : { TEST_POOLER_URL: poolerUrl }),
    },
    stdin: "null",
    stdout: stdio,
    stderr: stdio,
  }).spawn();
  const printed = quiet
    ? Promise.all([child.stdout, child.stderr].map((stream) => new Response(stream).text()))
    : [];
  return {
    ended: (async () => {
      const { code } = await child.status;
      const output = (await printed).join("");
      const counts = readTestReport(await Deno.readTextFile(report));
      await Deno.remove(report);
      const failed = code === 0 ? counts.failed : Math.max(counts.failed, 1); // a file that does not load is in no report
      return { ...counts, failed, code, output };
    })(),
    stop() {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
    },
  };
}
