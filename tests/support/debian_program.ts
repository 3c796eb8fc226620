import { oneAtATime } from "./one_at_a_time.ts";

/**
 * Finds a program of a Debian package; as root it installs the package where it is missing.
 * @throws when it is missing and cannot be installed: a test that needs it then fails and says what to do.
 */
export async function requireProgram(program: string, debianPackage: string): Promise<void> {
  if (await exists(program)) return;
  if (Deno.uid() === 0) {
    const install = ["install", "-y", "-q", "--no-install-recommends", debianPackage];
    const installed = await oneAtATime("apt-get", async () => {
      if (await exists(program)) return true;
      return await aptGet(install) || (await aptGet(["update", "-q"]) && await aptGet(install)); // a new machine has no lists
    });
    if (installed && await exists(program)) return;
  }
  throw new Error(`${program} is missing: apt-get install ${debianPackage}`);
}

/** Waits until a program listens on a port of this machine. @throws when the program ends instead. */
export async function isListening(port: number, child: Deno.ChildProcess, name: string): Promise<void> {
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (hasEnded) throw new Error(`${name} ended at its start`, { cause: error });
    }
  }
}

async function aptGet(args: string[]): Promise<boolean> {
  const command = new Deno.Command("apt-get", {
    args,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdout: "null",
  });
  return await command.spawn().status.then(({ success }) => success, () => false);
}

function exists(program: string): Promise<boolean> {
  return Deno.stat(program).then(() => true, () => false);
}
