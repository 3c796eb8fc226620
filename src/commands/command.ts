import { OperatorError } from "../errors.ts";

/** One command of the command line. */
export interface Command {
  /** The arguments, as the usage shows them. */
  usage: string;
  /** What it does, in one line. */
  summary: string;
  /** Runs it; resolves to the process's exit code. */
  run(context: CommandContext): Promise<number>;
}

export interface CommandContext {
  /** What follows the command's name. */
  args: readonly string[];
  /** For `parseConfig`; a command that needs no configuration does not read it. */
  environment: Record<string, string>;
  /** Aborts when the process is told to stop (Ctrl-C, SIGTERM): come to an end in good order. */
  signal: AbortSignal;
  /** Prints a line for the person at the terminal. */
  print(line: string): void;
}

/** Thrown when a command is called wrongly: the message is printed with the usage, and the exit code is 2. */
export class UsageError extends OperatorError {
  override name = "UsageError";
}
