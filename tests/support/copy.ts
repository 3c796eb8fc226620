import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type postgres from "postgres";
import type { Sql } from "../../src/database/sql.ts";

/** Inserts members with one `COPY … FROM STDIN`. */
export async function copyMembers(
  sql: Sql | postgres.TransactionSql<{ bigint: number }>,
  memberIds: string[],
): Promise<void> {
  const stream = await sql`copy public.members (id) from stdin`.writable();
  await pipeline(Readable.from(memberIds.map((id) => `${id}\n`)), stream);
}
