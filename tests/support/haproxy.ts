import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFreePort } from "../../src/database/embedded/postgres_server.ts";
import { isListening, requireProgram } from "./debian_program.ts";

const PROGRAM = "/usr/sbin/haproxy";
const CONFIGURATION = fileURLToPath(new URL("../../deploy/haproxy/haproxy.cfg", import.meta.url));

/** HAProxy before replicas of the service, as `deploy/haproxy/haproxy.cfg` has it. */
export interface HaProxy {
  url: string;
  /** Its log so far: a line a request, with backend and replica. */
  output(): string;
  stop(): Promise<void>;
}

/**
 * Starts HAProxy (Debian's package haproxy; as root it installs it where it is missing) with the configuration that is
 * recommended, in which the addresses alone are others; without root it stays the account that it is.
 * @param replicas the URLs of as many replicas as the configuration names
 */
export async function startHaProxy(replicas: readonly string[]): Promise<HaProxy> {
  await requireProgram(PROGRAM, "haproxy");
  const folder = await Deno.makeTempDir({ prefix: "trainer-assignment-haproxy-" });
  await Deno.chmod(folder, 0o755);
  const port = findFreePort();
  const file = join(folder, "haproxy.cfg");
  await Deno.writeTextFile(file, withAddresses(await Deno.readTextFile(CONFIGURATION), port, replicas));
  const child = new Deno.Command(PROGRAM, {
    args: ["-db", "-f", file],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) text += chunk;
  };
  const hasRead = Promise.all([read(child.stdout), read(child.stderr)]);
  const stop = async () => {
    await child.status.then(() => {}, () => {});
    await hasRead;
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await isListening(port, child, "haproxy");
  } catch (error) {
    await stop();
    throw new Error(`haproxy does not start:\n${text}`, { cause: error });
  }
  return {
    url: `http://127.0.0.1:${port}`,
    output: () => text,
    async stop() {
      child.kill("SIGTERM");
      await stop();
    },
  };
}

function withAddresses(configuration: string, port: number, replicas: readonly string[]): string {
  const known = new Set([...configuration.matchAll(/^ {2}server (\S+) /gm)].map(([, name]) => name));
  if (known.size !== replicas.length) {
    throw new Error(`the configuration has ${known.size} replicas, the test ${replicas.length}`);
  }
  const addressed = configuration
    .replace(/^ {2}bind \S+$/m, `  bind 127.0.0.1:${port}`)
    .replaceAll(/^( {2}server replica(\d+)) \S+$/gm, (_, name: string, number: string) => {
      return `${name} ${new URL(replicas[Number(number) - 1] ?? "").host}`;
    });
  return Deno.uid() === 0 ? addressed : addressed.replaceAll(/^ {2}(user|group) .*\n/gm, "");
}
