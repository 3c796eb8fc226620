import type { MemberSource } from "./member_columns.ts";
import { byId, findMembers } from "./member_lookup.ts";

/** What the names of a row's member add to it. */
export interface RowNames {
  /** Null: the member has none, is gone, or there is no column to read. */
  memberName: string | null;
  memberEmail: string | null;
}

/** Adds the names and e-mails of members to rows; `idKey` is the column with their ids. */
export async function addNames<Row extends object>(
  source: MemberSource,
  rows: readonly Row[],
  idKey: keyof Row & string,
): Promise<(Row & RowNames)[]> {
  const idOf = (row: Row) => String(row[idKey]);
  const members = byId(await findMembers(source, [...new Set(rows.map(idOf))]));
  return rows.map((row) => {
    const member = members.get(idOf(row));
    return { ...row, memberName: member?.name ?? null, memberEmail: member?.email ?? null };
  });
}

/** Adds them to each chunk of a stream. */
export async function* streamNames<Row extends object>(
  source: MemberSource,
  chunks: AsyncIterable<readonly Row[]>,
  idKey: keyof Row & string,
): AsyncGenerator<(Row & RowNames)[]> {
  for await (const rows of chunks) yield await addNames(source, rows, idKey);
}
