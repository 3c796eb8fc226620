import { SERVICE_ROLE } from "./databases.ts";
import { startPgBouncer } from "./pgbouncer.ts";
import { type PostgresVersion, startTestServer } from "./servers.ts";
import { createTemplate, startTests, type TestResult } from "./test_run.ts";

export interface FileResult extends TestResult {
  file: string;
  seconds: number;
}

export interface LaneOptions {
  /** Files at once. A lane has a PostgreSQL of its own, so that no file meets another's roles, locks or sessions. */
  lanes: number;
  version: PostgresVersion;
  /** Puts a PgBouncer in transaction mode before each server. */
  throughPooler: boolean;
  /** For `deno test`: a filter. */
  options: readonly string[];
  /** Once aborted no other file is begun. */
  signal: AbortSignal;
  /** Called when a file has ended. */
  onEnded(result: FileResult): void;
}

/** Runs test files in their order, several at once, each by a `deno test` of its own. */
export async function runInLanes(files: readonly string[], options: LaneOptions): Promise<void> {
  const waiting = [...files];
  const lanes = Array.from(
    { length: Math.min(options.lanes, files.length) },
    () => runLane(waiting, options),
  );
  const outcomes = await Promise.allSettled(lanes);
  const errors = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason);
  if (errors.length > 0) throw new AggregateError(errors, errors.join("; "));
}

async function runLane(waiting: string[], options: LaneOptions): Promise<void> {
  const { version, throughPooler, options: own, signal, onEnded } = options;
  const closers: (() => Promise<void>)[] = [];
  try {
    const server = await startTestServer(version);
    closers.push(server.remove);
    await createTemplate(server.url);
    const pooler = throughPooler
      ? await startPgBouncer({ serverUrl: server.url, users: [SERVICE_ROLE], connections: 20 })
      : undefined;
    if (pooler !== undefined) closers.push(pooler.stop);

    while (!signal.aborted) {
      const file = waiting.shift();
      if (file === undefined) return;
      const began = performance.now();
      const tests = startTests({
        serverUrl: server.url,
        version,
        poolerUrl: pooler?.urlOf("postgres"),
        args: ["--no-check", ...own, file],
        quiet: true,
      });
      const result = await tests.ended;
      onEnded({ ...result, file, seconds: (performance.now() - began) / 1000 });
    }
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}
