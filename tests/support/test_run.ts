import type { PostgresVersion } from "./servers.ts";
import { readTestReport, type TestCounts } from "./test_report.ts";

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

/** Starts `deno test` on a server that is a copy of a model cluster. */
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
