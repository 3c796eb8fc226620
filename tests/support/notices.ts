import postgres from "postgres";

/** Runs a statement in a session of its own and returns the warnings that its caller sees. */
export async function warningsOf(url: string, statement: string): Promise<string[]> {
  const warnings: string[] = [];
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    onnotice: ({ severity, message }) => {
      if (severity === "WARNING" && message !== undefined) warnings.push(message);
    },
  });
  await sql.unsafe(statement);
  await sql.end({ timeout: 1 });
  return warnings;
}
