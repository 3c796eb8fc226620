import { SERVICE_ROLE } from "./databases.ts";
import { startPgBouncer } from "./pgbouncer.ts";
import { type PostgresVersion, startTestServer } from "./servers.ts";
import { takeJob, type TestJob } from "./test_files.ts";
import { startTests, type TestResult } from "./test_run.ts";

export interface FileResult extends TestResult, TestJob {
  seconds: number;
}

export interface LaneOptions {
  /** Files at once. A lane has a PostgreSQL of its own, so that no file meets another's roles, locks or sessions. */
  lanes: number;
  /** Puts a PgBouncer in transaction mode before each server. */
  throughPooler: boolean;
  /** For `deno test`: a filter. */
  options: readonly string[];
  /** Once aborted no other file is begun. */
  signal: AbortSignal;
  /** Called when a file has ended. */
  onEnded(result: FileResult): void;
}

/**
 * Runs test files in their order, several at once, each by a `deno test` of its own. Every other lane prefers files that
 * mostly wait, so that these do not leave the processors idle when they meet, nor the busy ones overload them.
 */
export async function runInLanes(jobs: readonly TestJob[], options: LaneOptions): Promise<void> {
  const queue = [...jobs];
  const lanes = Array.from(
    { length: Math.min(options.lanes, jobs.length) },
    (_, lane) => runLane(() => takeJob(queue, lane % 2 === 0 ? "busy" : "waiting"), options),
  );
  const outcomes = await Promise.allSettled(lanes);
  const errors = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason);
  if (errors.length > 0) throw new AggregateError(errors, errors.join("; "));
}

/** Where a lane's tests of one version run. */
interface LaneServer {
  url: string;
  poolerUrl: string | undefined;
}

async function runLane(nextJob: () => TestJob | undefined, options: LaneOptions): Promise<void> {
  const { throughPooler, options: own, signal, onEnded } = options;
  const closers: (() => Promise<void>)[] = [];
  const servers = new Map<PostgresVersion, LaneServer>();
  const serverOf = async (version: PostgresVersion) => {
    const started = servers.get(version) ?? await startLaneServer(version, throughPooler, closers);
    servers.set(version, started);
    return started;
  };
  try {
    while (!signal.aborted) {
      const job = nextJob();
      if (job === undefined) return;
      const { url, poolerUrl } = await serverOf(job.version);
      const began = performance.now();
      const tests = startTests({
        serverUrl: url,
        version: job.version,
        poolerUrl,
        args: ["--no-check", ...own, job.file],
        quiet: true,
      });
      const result = await tests.ended;
      onEnded({ ...result, ...job, seconds: (performance.now() - began) / 1000 });
    }
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** @param closers gets what stops what was started, also when something fails half-way */
async function startLaneServer(
  version: PostgresVersion,
  throughPooler: boolean,
  closers: (() => Promise<void>)[],
): Promise<LaneServer> {
  const server = await startTestServer(version);
  closers.push(server.remove);
  if (!throughPooler) return { url: server.url, poolerUrl: undefined };
  const pooler = await startPgBouncer({ serverUrl: server.url, users: [SERVICE_ROLE], connections: 20 });
  closers.push(pooler.stop);
  return { url: server.url, poolerUrl: pooler.urlOf("postgres") };
}
