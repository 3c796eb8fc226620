import type { Sql } from "../../src/database/sql.ts";

/** Lets the time of every failure come. */
export async function makeDue(sql: Sql): Promise<void> {
  await sql`update assignment.failures set next_attempt_at = now()`;
}
