import { type Browser, chromium } from "playwright-core";
import { z } from "zod";
import { oneAtATime } from "../support/one_at_a_time.ts";

const SYSTEM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const launchSchema = z.object({
  executablePath: z.string(),
  env: z.record(z.string(), z.string()),
});
type Launch = z.infer<typeof launchSchema>;

/** Starts a real Chromium, without a window: the system's, or else npm's, which is installed when it is first asked for. */
export async function startBrowser(): Promise<Browser> {
  const { executablePath, env } = await findSystemChromium() ??
    await oneAtATime("chromium", installChromium);
  return await chromium.launch({ executablePath, env: { ...Deno.env.toObject(), ...env } });
}

async function findSystemChromium(): Promise<Launch | undefined> {
  if (Deno.env.get("TEST_CHROMIUM") === "npm") return undefined;
  for (const executablePath of SYSTEM) {
    const exists = await Deno.stat(executablePath).then(() => true, () => false);
    if (exists) return { executablePath, env: {} };
  }
  return undefined;
}

async function installChromium(): Promise<Launch> {
  const folder = new URL("./chromium/", import.meta.url);
  const run = async (...args: string[]) => {
    const command = new Deno.Command(Deno.execPath(), {
      args,
      cwd: folder,
      stdout: "piped",
      stderr: "piped",
    });
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(`deno ${args.join(" ")} failed: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  };
  await run("install");
  return launchSchema.parse(JSON.parse(await run("run", "--quiet", "--allow-all", "unpack.ts")));
}
