import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("./orms/", import.meta.url));

/** Installs the schema tools of others beside their configurations, from the lock there; seconds the first time. */
export async function installOrms(): Promise<void> {
  await run(["install", "--frozen"], {});
}

/** Does what an application's `npx drizzle-kit push` does, with one of the configurations in tests/support/orms. */
export async function pushDrizzle(
  config: "drizzle" | "drizzle_filtered",
  databaseUrl: string,
): Promise<void> {
  const program = "node_modules/drizzle-kit/bin.cjs";
  await run(["run", "-A", program, "push", `--config=${config}.config.js`, "--force"], {
    DATABASE_URL: databaseUrl,
  });
}

/** Connects as an application with TypeORM does whose data source has the option. */
export async function connectTypeOrm(
  option: "synchronize" | "dropSchema",
  databaseUrl: string,
): Promise<void> {
  await run(["run", "-A", "typeorm.js", option], { DATABASE_URL: databaseUrl });
}

async function run(args: string[], env: Record<string, string>): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: FOLDER, env, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`deno ${args.join(" ")}:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}
