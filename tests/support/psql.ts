import { closeDatabase, openDatabase } from "../../src/database/connection.ts";

/** Runs a script of SQL statements in psql; where psql is not installed, as psql would send it: whole, unprepared. */
export async function runScript(url: string, script: string): Promise<void> {
  const psql = new Deno.Command("psql", {
    args: ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", `--command=${script}`, url],
  });
  let output: Deno.CommandOutput;
  try {
    output = await psql.output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const sql = openDatabase(url, { max: 1, applicationName: "test script" });
    await sql.unsafe(script).simple();
    await closeDatabase(sql);
    return;
  }
  if (!output.success) throw new Error(new TextDecoder().decode(output.stderr));
}
