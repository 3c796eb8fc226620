import { findColumns, type FoundColumn } from "../assignments/member_columns.ts";
import type { AskedColumn, MemberColumns } from "../config/member_columns.ts";
import { quoteIdentifier } from "../database/quoting.ts";
import type { SqlOrTransaction } from "../database/sql.ts";

/** Which columns with names and e-mails are asked for, and which there are. */
export interface Names {
  asked: MemberColumns;
  found: FoundColumn[];
  /** The role that the service runs as. */
  role: string;
}

/** Finds the columns from which names and e-mails are read. */
export async function findNames(sql: SqlOrTransaction, asked: MemberColumns): Promise<Names> {
  const [row] = await sql<[{ role: string }]>`select current_user::text as role`;
  return { asked, found: await findColumns(sql, asked), role: row.role };
}

/** Describes the columns for the check `names` of `/readyz`. */
export function describeNames({ asked, found, role }: Names): { status: "ok" | "degraded"; detail: string } {
  const problems = [
    ...describeColumn("MEMBER_NAME_COLUMN", asked.name, found, role),
    ...describeColumn("MEMBER_EMAIL_COLUMN", asked.email, found, role),
  ];
  if (problems.length > 0) return { status: "degraded", detail: problems.join("; ") };
  const readable = found.filter(({ mayRead }) => mayRead);
  if (readable.length === 0) {
    return { status: "ok", detail: "members are shown by their ids: there is no column to read" };
  }
  const from = readable.map(({ column }) => column).join(" and ");
  const unindexed = readable.filter(({ trigramIndex }) => trigramIndex === null);
  if (unindexed.length === 0) {
    return { status: "ok", detail: `read from ${from}; searches find every member` };
  }
  const list = unindexed.map(({ column }) => column).join(" and ");
  return {
    status: "ok",
    detail:
      `read from ${from}; without a trigram index on ${list} searches look at the first members only: ` +
      "see docs/adopting.md#names-of-members",
  };
}

function describeColumn(
  variable: string,
  asked: AskedColumn | null,
  found: FoundColumn[],
  role: string,
): string[] {
  if (asked === null || !asked.isRequired) return [];
  const { mayRead } = found.find(({ column }) => column === asked.column) ?? {};
  if (mayRead) return [];
  if (mayRead === undefined) {
    return [`${variable}: members has no column ${asked.column}: change the variable`];
  }
  return [
    `${variable}: the service may not read the column ${asked.column}: run as the owner of members: ` +
    `grant select (${quoteIdentifier(asked.column)}) on public.members to ${quoteIdentifier(role)}`,
  ];
}
