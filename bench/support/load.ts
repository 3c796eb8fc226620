import { fileURLToPath } from "node:url";
import { z } from "zod";
import { TOKEN } from "./service.ts";

const AUTOCANNON = fileURLToPath(new URL("../peers/load.js", import.meta.url));
const WRK_SCRIPT = fileURLToPath(new URL("wrk.lua", import.meta.url));

/** What to ask for, over how many connections, for how long. */
export interface Load {
  url: string;
  /** Asked for in random order: a path, or a path, a tab and the JSON to post. */
  paths: string[];
  connections: number;
  seconds: number;
}

/** How it went. */
export interface LoadResult {
  requests: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const resultSchema = z.object({
  requests: z.number(),
  seconds: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  failed: z.number(),
});

/** The programs that make load: wrk where it is installed, for it takes the least from those it measures. */
export type LoadGenerator = "wrk" | "autocannon";

/** Finds the one to use. */
export async function findLoadGenerator(): Promise<LoadGenerator> {
  try {
    await new Deno.Command("wrk", { args: ["--version"], stdout: "null", stderr: "null" }).output();
    return "wrk";
  } catch {
    return "autocannon";
  }
}

/**
 * Keeps every connection busy with one request after the other.
 * @throws when an answer is not 200 or a connection breaks: a figure over failures means nothing.
 */
export async function putLoad(generator: LoadGenerator, load: Load): Promise<LoadResult> {
  const pathsFile = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(pathsFile, load.paths.join("\n") + "\n");
    const { connections, seconds, url } = load;
    const [program, args] = generator === "wrk"
      ? ["wrk", [
        "-t1",
        `-c${connections}`,
        `-d${seconds}s`,
        "-s",
        WRK_SCRIPT,
        url,
        "--",
        pathsFile,
        TOKEN,
      ]] as const
      : ["node", [AUTOCANNON, url, String(connections), String(seconds), pathsFile, TOKEN]] as const;
    const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
    const result = resultSchema.parse(JSON.parse(lines.at(-1) ?? ""));
    if (result.failed > 0) throw new Error(`${result.failed} of ${result.requests} requests failed`);
    const { requests, p50Ms, p99Ms } = result;
    return { requests, requestsPerSecond: requests / result.seconds, p50Ms, p99Ms };
  } finally {
    await Deno.remove(pathsFile);
  }
}
