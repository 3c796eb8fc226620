import { type Logger, pino, stdTimeFunctions } from "pino";

export type { Logger };
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogOptions {
  level: LogLevel;
  /** Writes readable lines for a person; otherwise one JSON line per event. */
  readable: boolean;
  /** Returns the fields of every line, such as the ids of its trace. */
  context?: () => Record<string, string>;
  /** Writes one line, which includes its line break. */
  write(line: string): void;
}

/**
 * Creates the process's log (pino, synchronous, without a worker). Every event is one line: line breaks and
 * terminal escapes are written as `\n` and `\u001b`.
 *
 * @example log.info({ runId }, "backfill started"); log.error({ err }, "request failed");
 */
export function createLog({ level, readable, context, write }: LogOptions): Logger {
  return pino(
    {
      level,
      base: null,
      ...(context === undefined ? {} : { mixin: context }),
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(escapeControls(readable ? toReadable(line) : line)) },
  );
}

/** A logger that writes nothing. */
export const silentLogger: Logger = pino({ level: "silent" }, { write() {} });

/** Writes to standard output. Ignores errors: a closed output must not end the service. */
export function writeStdout(text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
  } catch {
    // the output is closed
  }
}

/**
 * Formats a line as `12:34:56.789 info  backfill started runId="…"`, with the stack of an error on separate
 * lines.
 */
function toReadable(line: string): string {
  const { time, level, event, msg = event, err, ...values } = JSON.parse(line);
  const pairs = Object.entries(values).map(([name, value]) => ` ${oneLine(name)}=${JSON.stringify(value)}`);
  const error = err === undefined ? [] : [` err=${JSON.stringify(err.message)}`, ...stackFrames(err.stack)];
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${oneLine(msg ?? "")}${pairs.join("")}${error.join("")}\n`;
}

function oneLine(text: unknown): string {
  return String(text).replaceAll("\n", "\\n");
}

function stackFrames(stack: unknown): string[] {
  return String(stack ?? "").split("\n").filter((line) => line.startsWith("    at ")).map((line) =>
    `\n${line}`
  );
}

/**
 * Escapes the characters that control a terminal, except line breaks. JSON does not escape all of them: DEL, C1
 * controls, line separators and direction marks remain.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(
    // deno-lint-ignore no-control-regex -- control characters are meant
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
