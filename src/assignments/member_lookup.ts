import type postgres from "postgres";
import type { Sql } from "../database/sql.ts";

/** A member, with what the application's own table tells of them: each column is used where there is one. */
export interface Member {
  id: string;
  email: string | null;
  displayName: string | null;
}

/** One assignment of a member, to whichever trainer. */
export interface HistoryEntry {
  id: string;
  trainerId: string;
  status: "active" | "inactive";
  assignmentDate: Date;
  endedAt: Date | null;
  /** What assigned: `trigger`, `retry`, `backfill`, `manual` or `signup`. */
  source: string;
  backfillRunId: string | null;
  /** The version of the policy that chose the trainer; null if the trainer was named. */
  policyVersion: number | null;
  /** The rule of that version that chose; null: the default trainer. */
  rule: { position: number; name: string } | null;
  notes: string | null;
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

/** Lists a member's assignments, ended ones too, the newest first; the last 100. */
export async function listMemberHistory(sql: Sql, memberId: string): Promise<HistoryEntry[]> {
  const entries = await sql<HistoryEntry[]>`
    select
      a.id, a.trainer_id, a.status, a.assignment_date, a.ended_at, a.source, a.backfill_run_id, a.policy_version, a.notes,
      case when r.rule is not null then json_build_object('position', r.rule, 'name', r.name) end as rule
    from public.trainer_client_assignments a
    left join assignment.policy_rules r on r.version = a.policy_version and r.rule = a.rule
    where a.client_id = ${memberId}
    order by a.id desc
    limit 100
  `;
  return [...entries];
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
