import { readInTime } from "../database/bounded_read.ts";
import type { SqlOrTransaction } from "../database/sql.ts";
import {
  columnText,
  columnValue,
  findReadableColumns,
  type Fragment,
  type MemberSource,
  type ReadableColumns,
} from "./member_columns.ts";

/** A member, with what the application's own table tells of them. */
export interface Member {
  id: string;
  /** Null: it has none, or the table has no such column for us to read. */
  name: string | null;
  email: string | null;
}

const TIMEOUT_MS = 5000;

/** Finds members by their ids, in no order; ids of nobody are left out. */
export async function findMembers(source: MemberSource, ids: readonly string[]): Promise<Member[]> {
  if (ids.length === 0) return [];
  const { sql } = source;
  const columns = await findReadableColumns(source);
  return await selectMembers(sql, columns, sql`where m.id = any (${[...ids]}::uuid[])`);
}

/**
 * Finds up to 20 members by e-mail, exactly as written or else without regard to case. Looks at all members.
 * @returns null if there is no e-mail column that the service may read, or the look took five seconds
 */
export async function findMembersByEmail(source: MemberSource, email: string): Promise<Member[] | null> {
  const { sql } = source;
  const columns = await findReadableColumns(source);
  const column = columns.email;
  if (column === null) return null;
  return await readInTime(sql, TIMEOUT_MS, async (transaction) => {
    const members = await selectMembers(
      transaction,
      columns,
      sql`where ${columnValue(sql, column)} = ${email} order by m.id limit 20`,
    );
    if (members.length > 0) return members;
    return await selectMembers(
      transaction,
      columns,
      sql`where lower(${columnText(sql, column)}) = lower(${email}) order by m.id limit 20`,
    );
  });
}

/** Lists what can be read of members, in the order of the downloads' columns. */
export async function listReadableFields(source: MemberSource): Promise<("name" | "email")[]> {
  const columns = await findReadableColumns(source);
  return (["name", "email"] as const).filter((field) => columns[field] !== null);
}

/** Maps members by id. */
export function byId(members: readonly Member[]): Map<string, Member> {
  return new Map(members.map((member) => [member.id, member]));
}

/** Selects members as `m`, by the conditions that follow the table. */
export async function selectMembers(
  sql: SqlOrTransaction,
  { name, email }: ReadableColumns,
  which: Fragment,
): Promise<Member[]> {
  const members = await sql<Member[]>`
    select m.id, ${columnText(sql, name)} as name, ${columnText(sql, email)} as email
    from public.members m
    ${which}
  `;
  return [...members];
}
