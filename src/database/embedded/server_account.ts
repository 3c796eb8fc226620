import { dirname, resolve } from "node:path";
import { OperatorError } from "../../errors.ts";

/** The account that a server runs as when this process is root. */
export interface Account {
  uid: number;
  gid: number;
}

export interface RunResult {
  success: boolean;
  /** What the program printed, both streams. */
  output: string;
}

/**
 * Chooses the account that runs a server. Null: this process's own. If that is root, which PostgreSQL refuses:
 * the owner of the folder, else `postgres`, else `nobody`. initdb needs an account that is in /etc/passwd.
 */
export async function accountFor(owner?: Account): Promise<Account | null> {
  if (Deno.build.os === "windows" || Deno.uid() !== 0) return null;
  if (owner !== undefined) return owner;
  const entries = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"));
  const entry = entries.find(([name]) => name === "postgres") ?? entries.find(([name]) => name === "nobody");
  if (entry === undefined) {
    throw new OperatorError(
      "PostgreSQL does not run as root, and there is no account postgres or nobody to run it as",
    );
  }
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/**
 * Runs a program as the account, and waits for its end. If a folder above the program or a path is closed to
 * the account, it gets the one capability that passes it.
 */
export async function runAs(
  account: Account | null,
  program: string,
  args: string[],
  paths: string[],
): Promise<RunResult> {
  const reachable = account === null ||
    (await Promise.all([program, ...paths].map((path) => mayReach(account, path))))
      .every((may) => may);
  if (reachable) {
    return await run(program, args, account ?? {});
  }
  for (const capability of ["dac_read_search", "dac_override"]) {
    // without no_setuid_fixup, access(2) ignores the capabilities of an account other than root
    const lend = [
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      "--clear-groups",
      "--securebits=+no_setuid_fixup",
      `--bounding-set=-all,+${capability}`,
      `--inh-caps=-all,+${capability}`,
      `--ambient-caps=-all,+${capability}`,
    ];
    const probe = await run("setpriv", [...lend, "true"]).catch(() => null); // not every system has setpriv
    if (probe?.success) {
      return await run("setpriv", [...lend, program, ...args]);
    }
  }
  throw new OperatorError(
    `account ${account.uid}, which PostgreSQL must run as, may not enter ${dirname(paths[0] ?? program)}`,
  );
}

async function run(program: string, args: string[], account: Partial<Account> = {}): Promise<RunResult> {
  const command = new Deno.Command(program, { args, ...account, stdin: "null", cwd: "/" });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Tells whether the account may enter every folder above the path. */
async function mayReach(account: Account, path: string): Promise<boolean> {
  for (let folder = dirname(resolve(path));; folder = dirname(folder)) {
    const { mode, uid, gid } = await Deno.stat(folder);
    const search = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if (mode !== null && (mode & search) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
