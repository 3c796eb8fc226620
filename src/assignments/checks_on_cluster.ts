import type { SqlOrTransaction } from "../database/sql.ts";

/** An active assignment of one of those who were asked for. */
export interface FoundAssignment {
  clientId: string;
  trainerId: string;
  id: string;
  assignmentDate: string;
  source: string;
  notes: string | null;
}

type FoundRow = [
  clientId: string,
  trainerId: string,
  id: string,
  assignmentDate: string,
  source: string,
  notes: string | null,
];

/**
 * Finds the active assignments of members, each member's in order of the trainers: one round trip to each node, which looks
 * in its own shards. Whom no node has, because a shard moves or a node is new, Citus looks for.
 */
export async function findOnCluster(
  sql: SqlOrTransaction,
  memberIds: readonly string[],
): Promise<FoundAssignment[]> {
  const ids = [...new Set(memberIds.map((id) => id.toLowerCase()))];
  const parts = await sql<{ part: [asked: string[], found: FoundRow[]] }[]>`
    select part from assignment.check_members(${ids}::uuid[]) as part
  `;
  const asked = new Set(parts.flatMap(({ part: [members] }) => members));
  const found = parts.flatMap(({ part: [, rows] }) => rows).map((
    [clientId, trainerId, id, assignmentDate, source, notes],
  ) => ({ clientId, trainerId, id, assignmentDate, source, notes }));
  const others = asked.size === ids.length ? [] : ids.filter((id) => !asked.has(id));
  if (others.length === 0) return found;
  return [
    ...found,
    ...await sql<FoundAssignment[]>`
      select client_id, trainer_id, id, assignment_date::text, source, notes
      from public.trainer_client_assignments
      where client_id = any (${others}::uuid[])
        and status = 'active'
      order by trainer_id
    `,
  ];
}
