/** A program under measurement, in a process of its own. */
export interface Child {
  /** Where it answers: `http://127.0.0.1:…`. */
  url: string;
  pid: number;
  /** From the start of the process until it said where it listens. */
  startMs: number;
  stop(): Promise<void>;
}

/** Starts a program, and waits until it prints an address. What it prints is read and thrown away. */
export async function startChild(
  program: string,
  args: string[],
  options: { cwd: string; environment: Record<string, string> },
): Promise<Child> {
  const began = performance.now();
  const { HOME = "", PATH = "", DENO_DIR } = Deno.env.toObject();
  const child = new Deno.Command(program, {
    args,
    cwd: options.cwd,
    clearEnv: true,
    env: { HOME, PATH, ...(DENO_DIR === undefined ? {} : { DENO_DIR }), ...options.environment },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>();
  const reading = readOutput(child.stdout, resolve)
    .then(() => reject(new Error(`${program} ended without saying where it listens`)));
  const url = await listening;
  return {
    url,
    pid: child.pid,
    startMs: performance.now() - began,
    async stop() {
      child.kill("SIGTERM");
      await Promise.all([child.status, reading]);
    },
  };
}

async function readOutput(stream: ReadableStream<Uint8Array<ArrayBuffer>>, found: (url: string) => void) {
  let text = "";
  let isFound = false;
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    if (isFound) continue;
    text += chunk;
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
    if (url === undefined || !text.includes("\n")) continue;
    isFound = true;
    found(url);
  }
}
