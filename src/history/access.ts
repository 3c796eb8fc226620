import type { Sql } from "../database/sql.ts";

/** What the audit log tells of those who come to the service; a sign-out is recorded with the end of the session. */
type Access = "session.started" | "access.refused";

/** Adds a line to the audit log. */
export async function recordAccess(
  sql: Sql,
  line: { action: Access; actor: string; after: Record<string, string | null>; requestId: string },
): Promise<void> {
  const { action, actor, after, requestId } = line;
  await sql`
    select assignment.record_access(${actor}, ${action}, ${JSON.stringify(after)}::text::jsonb, ${requestId})
  `;
}
