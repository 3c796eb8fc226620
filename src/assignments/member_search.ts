import { readInTime } from "../database/bounded_read.ts";
import type { Sql } from "../database/sql.ts";
import {
  columnText,
  columnValue,
  findReadableColumns,
  type FoundColumn,
  type Fragment,
  type MemberSource,
  type ReadableColumns,
} from "./member_columns.ts";
import { columnsOf, joinByOr, matchColumn, matchId, matchText } from "./member_match.ts";
import { byId, type Member, selectMembers } from "./member_lookup.ts";

/** What a search found. */
export interface MemberSearch {
  /** The best matches first: whole names, beginnings, other parts, ids. */
  members: Member[];
  /** Only some of the members were searched: there may be other matches. */
  partial: boolean;
  /** There are more matches than the limit. */
  more: boolean;
}

export const MAX_SEARCH_LENGTH = 200;
export const MAX_FOUND = 50;
/** How many members a search looks at where no index helps. */
export const LOOK_ROWS = 20_000;

const CANDIDATES = 500;
/** How long each part of a search may take. What takes longer counts as not searched. */
const TIMEOUTS_MS = { values: 40, trigrams: 80, look: 500 };
type Timeouts = typeof TIMEOUTS_MS;

const TRIGRAM_LENGTH = 3;

/**
 * Finds members by a part of the name or e-mail, or by the id or its beginning, without regard to case.
 * Trigram indexes on the columns make the search complete; otherwise it looks at the first {@link LOOK_ROWS} members.
 * @param text 1 to 200 characters, taken literally
 * @param limit 1 to 50
 */
export async function searchMembers(
  source: MemberSource,
  text: string,
  limit: number,
  timeouts: Timeouts = TIMEOUTS_MS,
): Promise<MemberSearch> {
  const { sql } = source;
  const columns = await findReadableColumns(source);
  const byIds = await findById(sql, columns, text, timeouts);
  const byValue = await findByValue(sql, columns, text, timeouts);
  const matching = await findByTrigrams(sql, columns, text, timeouts);
  const looked = matching.isComplete
    ? { found: [], isPart: false }
    : await lookAtFirst(sql, columns, text, timeouts);
  const found = byId([...byIds ?? [], ...byValue, ...matching.found, ...looked.found]);
  const all = rank([...found.values()], text);
  return {
    members: all.slice(0, limit),
    partial: looked.isPart || byIds === null,
    more: all.length > limit,
  };
}

/** Selects by the trigram indexes of some columns. */
export function selectByTrigrams(sql: Sql, columns: FoundColumn[], text: string) {
  // A text without a trigram of its own has some as the beginning of a word.
  const isShort = text.length < TRIGRAM_LENGTH;
  const conditions = columns.flatMap((column) => matchColumn(sql, column, text, isShort));
  return sql`where ${joinByOr(sql, conditions)} limit ${CANDIDATES}`;
}

/** Selects the matches among the first {@link LOOK_ROWS} members, in the order of the table's pages. */
export function selectAmongFirst(sql: Sql, columns: ReadableColumns, text: string) {
  const { name, email } = columns;
  const conditions = [
    ...(name === null ? [] : matchText(sql, sql`first.name`, name, text)),
    ...(email === null ? [] : matchText(sql, sql`first.email`, email, text)),
  ];
  return sql`
    select first.id, first.name, first.email
    from (
      select m.id, ${columnText(sql, name)} as name, ${columnText(sql, email)} as email
      from public.members m
      limit ${LOOK_ROWS}
    ) as first
    where ${joinByOr(sql, conditions)}
    limit ${CANDIDATES}
  `;
}

/** Finds members by the id or its beginning; null if that takes too long. */
async function findById(
  sql: Sql,
  columns: ReadableColumns,
  text: string,
  { look }: Timeouts,
): Promise<Member[] | null> {
  const conditions = matchId(sql, text);
  return conditions.length === 0 ? [] : await selectInTime(sql, look, columns, conditions);
}

/** Finds members by a whole value of an indexed column. The other looks find them too, if this takes too long. */
async function findByValue(
  sql: Sql,
  columns: ReadableColumns,
  text: string,
  { values }: Timeouts,
): Promise<Member[]> {
  const conditions = columnsOf(columns).filter(({ hasValueIndex }) => hasValueIndex)
    .map((column) => sql`${columnValue(sql, column)} = ${text}`);
  return conditions.length === 0 ? [] : await selectInTime(sql, values, columns, conditions) ?? [];
}

async function selectInTime(
  sql: Sql,
  timeoutMs: number,
  columns: ReadableColumns,
  conditions: Fragment[],
): Promise<Member[] | null> {
  const which = sql`where ${joinByOr(sql, conditions)} limit ${CANDIDATES}`;
  return await readInTime(sql, timeoutMs, (transaction) => selectMembers(transaction, columns, which));
}

/** Is complete if every column has a trigram index, which serves the text in time. */
async function findByTrigrams(
  sql: Sql,
  columns: ReadableColumns,
  text: string,
  { trigrams }: Timeouts,
): Promise<{ found: Member[]; isComplete: boolean }> {
  const all = columnsOf(columns);
  const indexed = all.filter(({ trigramIndex }) => trigramIndex !== null);
  if (indexed.length === 0) return { found: [], isComplete: all.length === 0 };
  const which = selectByTrigrams(sql, indexed, text);
  const found = await readInTime(
    sql,
    trigrams,
    (transaction) => selectMembers(transaction, columns, which),
  );
  const isComplete = found !== null && indexed.length === all.length && text.length >= TRIGRAM_LENGTH;
  return { found: found ?? [], isComplete };
}

async function lookAtFirst(
  sql: Sql,
  columns: ReadableColumns,
  text: string,
  { look }: Timeouts,
): Promise<{ found: Member[]; isPart: boolean }> {
  const looked = await readInTime(sql, look, async (transaction) => {
    // Begins at the first page, not where another session's scan happens to be.
    await transaction`select set_config('synchronize_seqscans', 'off', true)`;
    const found = await transaction<Member[]>`${selectAmongFirst(sql, columns, text)}`;
    const [row] = await transaction<[{ isPart: boolean }]>`
      select exists (select m.id from public.members m offset ${LOOK_ROWS}) as is_part
    `;
    return { found: [...found], isPart: row.isPart };
  });
  return looked ?? { found: [], isPart: true };
}

/** Sorts by how well the members match, then by name. */
function rank(members: Member[], text: string): Member[] {
  const wanted = text.toLowerCase();
  const rankOf = ({ name, email }: Member) => {
    const values = [name, email].map((value) => value?.toLowerCase() ?? "");
    if (values.includes(wanted)) return 0;
    if (values.some((value) => value.startsWith(wanted))) return 1;
    return values.some((value) => value.includes(wanted)) ? 2 : 3;
  };
  const keyed = members.map((member) => ({
    member,
    rank: rankOf(member),
    name: member.name ?? member.email ?? "",
  }));
  return keyed.sort((one, other) =>
    one.rank - other.rank || compareNames(one.name, other.name) || (one.member.id < other.member.id ? -1 : 1)
  ).map(({ member }) => member);
}

const compareNames = new Intl.Collator("en").compare;
