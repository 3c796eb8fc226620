import { assertEquals } from "@std/assert";
import type { Sql } from "../../src/database/sql.ts";

/** Makes up the id of a member who does not exist yet. */
export function newId(): string {
  return crypto.randomUUID();
}

/** Makes up several. */
export function newIds(count: number): string[] {
  return Array.from({ length: count }, newId);
}

/** Checks that each of the members has exactly one assignment, active, to the default trainer, made by the trigger. */
export async function assertAssigned(sql: Sql, memberIds: string[]): Promise<void> {
  const rows = await sql`
    select m.id, array_agg(a.status || ' by ' || a.source || case a.trainer_id when s.default_trainer_id then '' else ' to another' end) as assignments
    from public.members m
    cross join assignment.settings s
    left join public.trainer_client_assignments a on a.client_id = m.id
    where m.id = any (${memberIds}::uuid[])
    group by m.id
    order by m.id
  `;
  assertEquals(
    [...rows],
    memberIds.toSorted().map((id) => ({ id, assignments: ["active by trigger"] })),
  );
  assertEquals(await countFailures(sql), 0);
}

/** Checks that each of the members exists, has no assignment, and is recorded as failed with the SQLSTATE. */
export async function assertRecorded(sql: Sql, memberIds: string[], sqlstate: string): Promise<void> {
  const rows = await sql`
    select m.id, f.sqlstate
    from public.members m
    left join assignment.failures f on f.member_id = m.id
    where m.id = any (${memberIds}::uuid[])
    order by m.id
  `;
  assertEquals([...rows], memberIds.toSorted().map((id) => ({ id, sqlstate })));
  const [table] = await sql<
    [{ exists: boolean }]
  >`select to_regclass('public.trainer_client_assignments') is not null as exists`;
  if (table.exists) assertEquals(await countAssignments(sql, memberIds), 0);
}

/** Counts the members' assignments, ended ones too. */
export async function countAssignments(sql: Sql, memberIds: string[]): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select count(*) from public.trainer_client_assignments where client_id = any (${memberIds}::uuid[])
  `;
  return row.count;
}

/** Counts the members of the ids that exist. */
export async function countMembers(sql: Sql, memberIds: string[]): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select count(*) from public.members where id = any (${memberIds}::uuid[])
  `;
  return row.count;
}

/** Counts the auto-assignments that wait for a retry. */
export async function countFailures(sql: Sql): Promise<number> {
  const [row] = await sql<[{ count: number }]>`select count(*) from assignment.failures`;
  return row.count;
}
