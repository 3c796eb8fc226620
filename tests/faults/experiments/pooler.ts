import { fileURLToPath } from "node:url";
import { SERVICE_ROLE } from "../../support/databases.ts";
import { startPgBouncer } from "../../support/pgbouncer.ts";
import { type PostgresVersion, versionsOfThisMachine } from "../../support/servers.ts";
import { makeTemplate } from "../../support/template.ts";
import { summarizeError } from "../../support/test_report.ts";
import { startTests } from "../../support/test_run.ts";
import { type Experiment, type ExperimentOptions, sized } from "../experiment.ts";
import { inWorld } from "../world.ts";

/**
 * Everything that the service does for its callers and its runs. Past the pooler goes one file's service alone:
 * `http/database_refuses_test.ts`, for which it is PostgreSQL's own sign-in that matters.
 */
const whole = ["http/", "database/runs/", "commands/backfill_test.ts"];

/** What a pooler could disturb most, and is quick: lists and streams, cursors, locks of runs, who does scheduled work. */
const part = [
  "http/assignments_test.ts",
  "http/backfills_test.ts",
  "http/check_fast_path_test.ts",
  "http/paging_test.ts",
  "http/run_events_test.ts",
  "http/run_event_stream_test.ts",
  "database/runs/schedule_test.ts",
  "database/runs/status_changes_test.ts",
];

/** The tests themselves, their service behind PgBouncer: each transaction may meet another session of the server. */
export const pooler: Experiment = {
  name: "pooler",
  summary: "PgBouncer in transaction mode before the database: the tests of the HTTP API and of runs hold",
  async run(options) {
    const versions = sized<PostgresVersion[]>(options.scale, {
      short: ["18"],
      full: await versionsOfThisMachine(),
      long: ["15", "16", "17", "18"],
    });
    for (const version of versions) await onVersion(version, options);
  },
};

async function onVersion(version: PostgresVersion, options: ExperimentOptions): Promise<void> {
  const { scale, report } = options;
  await inWorld(options, { version, migrated: false }, async ({ server, atEnd }) => {
    await makeTemplate(server.url);
    const bouncer = await startPgBouncer({ serverUrl: server.url, users: [SERVICE_ROLE], connections: 20 });
    atEnd(() => bouncer.stop());
    const files = sized(scale, { short: part, full: whole, long: whole });
    const tests = startTests({
      serverUrl: server.url,
      version,
      poolerUrl: bouncer.urlOf("postgres"),
      args: ["--no-check", ...files.map((file) => fileURLToPath(new URL(`../../${file}`, import.meta.url)))],
      quiet: true,
    });
    atEnd(() => Promise.resolve(tests.stop()));
    const { passed, failed, skipped, failures } = await tests.ended;
    const transactions = await bouncer.countTransactions();
    report.figure(`PostgreSQL ${version}: tests`, `${passed} passed, ${failed} failed, ${skipped} skipped`);
    report.figure(`PostgreSQL ${version}: transactions through the pooler`, transactions);
    const reasons = failures.map(({ name, error }) => [name, ...summarizeError(error)].join("\n"));
    report.expect(failed === 0 && skipped === 0, "every test passes behind a pooler", reasons.join("\n"));
    report.expect(passed > 0 && transactions > passed, "the tests go through the pooler", `${transactions}`);
  });
}
