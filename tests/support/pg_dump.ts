/** Debian's, which comes with its server; the packages from npm have none. */
const PROGRAM = "/usr/lib/postgresql/15/bin/pg_dump";

/**
 * Dumps a database of PostgreSQL 15, without what differs from dump to dump.
 * @param args pg_dump's own; everything where none are given
 */
export async function pgDump(url: string, args: string[] = []): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(PROGRAM, { args: [`--dbname=${url}`, ...args] })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`pg_dump failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout).split("\n").filter((line) => !/^\\(?:un)?restrict/.test(line)).join("\n");
}
