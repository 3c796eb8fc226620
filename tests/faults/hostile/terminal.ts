import type { ServiceOptions } from "../service.ts";

/** The service as a person starts it, on a terminal: readable lines instead of JSON. */
export interface TerminalService {
  /** All that the terminal was sent, without the carriage returns that it adds itself. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts the service on a pseudo-terminal (util-linux's `script`). */
export function startOnTerminal(
  { folder, databaseUrl, environment }: ServiceOptions,
): TerminalService {
  const command = `${Deno.execPath()} run -q --no-prompt -P=local main.ts start`;
  const { HOME = "", PATH = "", DENO_DIR } = Deno.env.toObject();
  const terminal = new Deno.Command("script", {
    args: ["--quiet", "--return", "--flush", "--command", command, "/dev/null"],
    cwd: folder,
    clearEnv: true,
    env: {
      HOME,
      PATH,
      DATABASE_URL: databaseUrl,
      ...environment,
      ...(DENO_DIR === undefined ? {} : { DENO_DIR }),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  const reading = (async () => {
    for await (const chunk of terminal.stdout.pipeThrough(new TextDecoderStream())) text += chunk;
  })();
  return {
    output: () => text.replaceAll("\r\n", "\n"),
    async stop() {
      try {
        terminal.kill("SIGTERM"); // closes the terminal, and so tells the service
      } catch {
        // it has ended by itself
      }
      await Promise.all([terminal.status, reading]);
    },
  };
}
