import postgres from "postgres";
import { errorCode, OperatorError } from "../errors.ts";
import { findRemedy } from "../database/refusals.ts";
import { describeTlsError } from "../database/driver/tls.ts";
import { escapeControls, writeStdout } from "../telemetry/log.ts";
import { backfill } from "./backfill.ts";
import { type Command, UsageError } from "./command.ts";
import { demo } from "./demo.ts";
import { migrate } from "./migrate.ts";
import { policy } from "./policy.ts";
import { start } from "./start.ts";
import { token } from "./token.ts";
import { transfer } from "./transfer.ts";
import { VERSION } from "../version.ts";

const commands: Readonly<Record<string, Command>> = {
  start,
  migrate,
  backfill,
  transfer,
  policy,
  demo,
  token,
};

/**
 * Runs the command that the arguments name and returns the exit code: 0, 1 when it failed, 2 when it was called
 * wrongly.
 * @param args what follows the program's name: a command and its arguments
 * @param signal aborts when the process is told to stop
 */
export async function runCommand(
  [name, ...args]: readonly string[],
  environment: Record<string, string>,
  signal: AbortSignal,
): Promise<number> {
  const command = Object.hasOwn(commands, name ?? "") ? commands[name ?? ""] : undefined;
  // Messages may contain text of the database, or of its callers.
  const print = (line: string) => writeStdout(`${escapeControls(line)}\n`);
  const complain = (text: string) => console.error(escapeControls(text));
  if (name === "help" || name === "--help" || name === "-h") {
    print(usage());
    return 0;
  }
  if (name === "version" || name === "--version" || name === "-V") {
    print(VERSION);
    return 0;
  }
  try {
    if (command === undefined) {
      throw new UsageError(
        name === undefined ? "which command?" : `there is no command ${JSON.stringify(name)}`,
      );
    }
    return await command.run({ args, environment, signal, print });
  } catch (error) {
    const problem = describeDatabaseError(error);
    if (problem !== null) {
      complain(`error: ${problem.replaceAll("\n", "\\n")}`);
      return 1;
    }
    if (!(error instanceof OperatorError)) throw error;
    complain(`error: ${error.message.replaceAll("\n", "\nerror: ")}`);
    if (!(error instanceof UsageError)) return 1;
    complain(`\n${usage(command === undefined ? undefined : name)}`);
    return 2;
  }
}

/** Describes in one line that the database is away or refuses; null for any other error. */
function describeDatabaseError(error: unknown): string | null {
  if (error instanceof postgres.PostgresError) {
    const remedy = findRemedy(error);
    return `the database says: ${error.message}${remedy === null ? "" : `: ${remedy}`}`;
  }
  const code = errorCode(error);
  if (!(error instanceof Error) || code === "") return null;
  const tlsProblem = describeTlsError(error, code);
  if (tlsProblem !== null) return `cannot reach the database: ${tlsProblem}`;
  const isOfDriver = code.startsWith("CONNECT");
  const isOfTls = /^ECONNRESET$|TLS|CERT/.test(code); // a server without it hangs up
  const isOfSocket = "syscall" in error &&
    ["connect", "read", "write", "getaddrinfo"].includes(String(error.syscall));
  return isOfDriver || isOfTls || isOfSocket ? `cannot reach the database: ${error.message}` : null;
}

function usage(name?: string): string {
  const shown = Object.entries(commands).filter(([each]) => name === undefined || each === name);
  const lines = shown.map(([each, { usage, summary }]) =>
    `  ${`deno task ${each} ${usage}`.padEnd(46)} ${summary}`
  );
  return `usage:\n${lines.join("\n")}`;
}
