import postgres from "postgres";

/** Runs a statement in a session of its own and returns the warnings that its caller sees. */
export async function warningsOf(url: string, statement: string): Promise<string[]> {
  return await noticesOf(url, "WARNING", statement);
}

/** Runs a statement and returns the plan of each that it runs, those in functions included; needs a superuser. */
export async function plansOf(url: string, statement: string): Promise<string[]> {
  return await noticesOf(
    url,
    "LOG",
    `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
     set client_min_messages = log; ${statement}`,
  );
}

async function noticesOf(url: string, wanted: string, statement: string): Promise<string[]> {
  const messages: string[] = [];
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    onnotice: ({ severity, message }) => {
      if (severity === wanted && message !== undefined) messages.push(message);
    },
  });
  await sql.unsafe(statement);
  await sql.end({ timeout: 1 });
  return messages;
}
