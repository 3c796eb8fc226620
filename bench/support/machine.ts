import { cpus, loadavg, release, totalmem, type } from "node:os";
import type { BenchServer } from "./server.ts";
import { findLoadGenerator } from "./load.ts";

/** Where and with what something was measured. */
export interface Surroundings {
  date: string;
  commit: string;
  machine: string;
  versions: string;
  /** Of the minute before; others who work on the machine show here. */
  load: number;
}

/** Looks around. */
export async function describeSurroundings({ sql }: BenchServer): Promise<Surroundings> {
  const [server] = await sql<[{ version: string }]>`select current_setting('server_version') as version`;
  const [cpu] = cpus();
  const commit = await firstLine("git", ["rev-parse", "--short=12", "HEAD"]);
  const changes = await firstLine("git", ["status", "--porcelain", "--", "src", "db"]);
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    commit: commit + (changes === "" ? "" : " with changes"),
    machine: `${cpus().length} × ${cpu?.model.trim()}, ${
      Math.round(totalmem() / 2 ** 30)
    } GiB, ${type()} ${release()}`,
    versions: [
      `Deno ${Deno.version.deno}`,
      `PostgreSQL ${server.version}`,
      `Node ${(await firstLine("node", ["--version"])).slice(1)}`,
      `psql ${/[\d.]+/.exec(await firstLine("psql", ["--version"]))?.[0] ?? "absent"}`,
      await findLoadGenerator(),
    ].join(", "),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

async function firstLine(program: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout).split("\n", 1)[0] ?? "";
  } catch {
    return "";
  }
}
