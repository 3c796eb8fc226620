import { readInTime, readWithin } from "../database/bounded_read.ts";
import type { Sql, SqlOrTransaction } from "../database/sql.ts";
import {
  columnText,
  columnValue,
  findReadableColumns,
  type FoundColumn,
  type Fragment,
  type MemberSource,
  type ReadableColumns,
} from "./member_columns.ts";
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
/** For what an index is there for: whether it helps shows when it is asked. */
const VALUE_TIMEOUT_MS = 40;
const TRIGRAM_TIMEOUT_MS = 80;
/** For a database that is slower than the rows to look at suggest: the search fails instead of waiting. */
const LOOK_TIMEOUT_MS = 2000;
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
): Promise<MemberSearch> {
  const { sql } = source;
  const columns = await findReadableColumns(source);
  const exact = await findExactly(sql, columns, text);
  const matching = await findByTrigrams(sql, columns, text);
  const looked = matching.isComplete ? { found: [], isPart: false } : await lookAtFirst(sql, columns, text);
  const all = rank([...byId([...exact, ...matching.found, ...looked.found]).values()], text);
  return { members: all.slice(0, limit), partial: looked.isPart, more: all.length > limit };
}

/** The members that match a text, as a condition on members as `m`. */
export function matchMember(sql: Sql, columns: ReadableColumns, text: string) {
  const conditions = [
    ...matchId(sql, text),
    ...columnsOf(columns).flatMap((column) => matchColumn(sql, column, text)),
  ];
  return joinByOr(sql, conditions);
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

/** Finds members by the id, its beginning, or a whole value of an indexed column. */
async function findExactly(sql: Sql, columns: ReadableColumns, text: string): Promise<Member[]> {
  const conditions = [
    ...matchId(sql, text),
    ...columnsOf(columns).filter(({ hasValueIndex }) => hasValueIndex)
      .map((column) => sql`${columnValue(sql, column)} = ${text}`),
  ];
  if (conditions.length === 0) return [];
  const which = sql`where ${joinByOr(sql, conditions)} limit ${CANDIDATES}`;
  const select = (transaction: SqlOrTransaction) => selectMembers(transaction, columns, which);
  return await readInTime(sql, VALUE_TIMEOUT_MS, select) ?? [];
}

/** Is complete if every column has a trigram index, which serves the text in time. */
async function findByTrigrams(
  sql: Sql,
  columns: ReadableColumns,
  text: string,
): Promise<{ found: Member[]; isComplete: boolean }> {
  const all = columnsOf(columns);
  const indexed = all.filter(({ trigramIndex }) => trigramIndex !== null);
  if (indexed.length === 0) return { found: [], isComplete: all.length === 0 };
  const which = selectByTrigrams(sql, indexed, text);
  const found = await readInTime(
    sql,
    TRIGRAM_TIMEOUT_MS,
    (transaction) => selectMembers(transaction, columns, which),
  );
  const isComplete = found !== null && indexed.length === all.length && text.length >= TRIGRAM_LENGTH;
  return { found: found ?? [], isComplete };
}

async function lookAtFirst(
  sql: Sql,
  columns: ReadableColumns,
  text: string,
): Promise<{ found: Member[]; isPart: boolean }> {
  return await readWithin(sql, LOOK_TIMEOUT_MS, async (transaction) => {
    // Begins at the first page, not where another session's scan happens to be.
    await transaction`select set_config('synchronize_seqscans', 'off', true)`;
    const found = await transaction<Member[]>`${selectAmongFirst(sql, columns, text)}`;
    const [row] = await transaction<[{ isPart: boolean }]>`
      select exists (select from public.members offset ${LOOK_ROWS}) as is_part
    `;
    return { found: [...found], isPart: row.isPart };
  });
}

function columnsOf({ name, email }: ReadableColumns): FoundColumn[] {
  return [name, email].filter((column) => column !== null);
}

function matchColumn(sql: Sql, column: FoundColumn, text: string, isBeginning = false) {
  return matchText(sql, columnText(sql, column), column, text, isBeginning);
}

function matchText(
  sql: Sql,
  value: Fragment,
  { trigramIndex, isDeterministic }: FoundColumn,
  text: string,
  isBeginning = false,
): Fragment[] {
  const collated = isDeterministic ? value : sql`${value} collate "default"`;
  return spellingsOf(text).map((spelling) => {
    const pattern = `${isBeginning ? "" : "%"}${escapePattern(spelling)}%`;
    return trigramIndex === "lower"
      ? sql`lower(${collated}) like lower(${pattern})`
      : sql`${collated} ilike ${pattern}`;
  });
}

/** A database with the locale C ignores the case of ASCII letters alone: other ones are asked for in both cases. */
function spellingsOf(text: string): string[] {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return [text];
  return [...new Set([text, text.toLowerCase(), text.toUpperCase()])];
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\%_]/g, "\\$&");
}

const ID_BEGINNING = /^[0-9a-f]{8}(?:-[0-9a-f]{0,4}){0,3}(?:-[0-9a-f]{0,12})?$|^[0-9a-f]{4,32}$/i;
const LOWEST = "00000000-0000-0000-0000-000000000000";
const HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff";

function matchId(sql: Sql, text: string): Fragment[] {
  const digits = text.replaceAll("-", "");
  if (!ID_BEGINNING.test(text) || digits.length > 32) return [];
  const fill = (rest: string) => hyphenate(digits + rest.replaceAll("-", "").slice(digits.length));
  return [sql`m.id between ${fill(LOWEST)} and ${fill(HIGHEST)}`];
}

function hyphenate(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function joinByOr(sql: Sql, conditions: Fragment[]): Fragment {
  const [first, ...others] = conditions;
  if (first === undefined) return sql`false`;
  return others.reduce((all, condition) => sql`${all} or ${condition}`, first);
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
