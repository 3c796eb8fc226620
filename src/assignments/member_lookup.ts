import type postgres from "postgres";
import type { Sql } from "../database/sql.ts";

/** A member, with what the application's own table tells of them: each column is used where there is one. */
export interface Member {
  id: string;
  email: string | null;
  displayName: string | null;
}

interface Columns {
  email: boolean;
  displayName: boolean;
}

const TIMEOUT_MS = 5000;

/** Finds members by their ids, in no order; ids of nobody are left out. */
export async function findMembers(sql: Sql, ids: readonly string[]): Promise<Member[]> {
  if (ids.length === 0) return [];
  return await selectMembers(sql, await findColumns(sql), sql`where id = any (${[...ids]}::uuid[])`);
}

/**
 * Finds up to 20 members by e-mail, exactly as written or else without regard to case.
 * @returns null when the members table has no such column, or it is not ours to read.
 */
export async function findMembersByEmail(sql: Sql, email: string): Promise<Member[] | null> {
  const columns = await findColumns(sql);
  if (!columns.email) return null;
  return await sql.begin("read only", async (transaction) => {
    await transaction`select set_config('statement_timeout', ${String(TIMEOUT_MS)}, true)`;
    const members = await selectMembers(
      transaction,
      columns,
      sql`where email = ${email} order by id limit 20`,
    );
    if (members.length > 0) return members;
    return await selectMembers(
      transaction,
      columns,
      sql`where lower(email::text) = lower(${email}) order by id limit 20`,
    );
  });
}

/** Tells whether members can be looked up by e-mail. */
export async function hasMemberEmails(sql: Sql): Promise<boolean> {
  return (await findColumns(sql)).email;
}

/** Lists what the members table tells of a member's name. */
export async function listNameColumns(sql: Sql): Promise<("displayName" | "email")[]> {
  const columns = await findColumns(sql);
  return (["displayName", "email"] as const).filter((name) => columns[name]);
}

/** The table is the application's: which of the columns it has, and lets us read. */
async function findColumns(sql: Sql): Promise<Columns> {
  const rows = await sql<{ name: string }[]>`
    select attname as name
    from pg_catalog.pg_attribute
    where attrelid = 'public.members'::regclass
      and attname in ('email', 'display_name')
      and not attisdropped
      and has_column_privilege(attrelid, attnum, 'select')
  `;
  const names = rows.map(({ name }) => name);
  return { email: names.includes("email"), displayName: names.includes("display_name") };
}

async function selectMembers(
  sql: postgres.ISql<{ bigint: number }>,
  { email, displayName }: Columns,
  which: ReturnType<Sql>,
): Promise<Member[]> {
  const members = await sql<Member[]>`
    select
      id,
      ${email ? sql`email::text` : sql`null::text`} as email,
      ${displayName ? sql`display_name::text` : sql`null::text`} as display_name
    from public.members
    ${which}
  `;
  return [...members];
}
