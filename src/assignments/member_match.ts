import type { Sql } from "../database/sql.ts";
import { columnText, type FoundColumn, type Fragment, type ReadableColumns } from "./member_columns.ts";

/** The members that match a text, as a condition on members as `m`. */
export function matchMember(sql: Sql, columns: ReadableColumns, text: string) {
  const conditions = [
    ...matchId(sql, text),
    ...columnsOf(columns).flatMap((column) => matchColumn(sql, column, text)),
  ];
  return joinByOr(sql, conditions);
}

/** Lists the columns that there are. */
export function columnsOf({ name, email }: ReadableColumns): FoundColumn[] {
  return [name, email].filter((column) => column !== null);
}

/** Conditions that hold if a column of members as `m` contains a text, or begins with it. */
export function matchColumn(sql: Sql, column: FoundColumn, text: string, isBeginning = false) {
  return matchText(sql, columnText(sql, column), column, text, isBeginning);
}

/** The same of any value. */
export function matchText(
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

/** A condition that holds if the id begins with a text; none if no id does. */
export function matchId(sql: Sql, text: string): Fragment[] {
  const digits = text.replaceAll("-", "");
  if (!ID_BEGINNING.test(text) || digits.length > 32) return [];
  const fill = (rest: string) => hyphenate(digits + rest.replaceAll("-", "").slice(digits.length));
  return [sql`m.id between ${fill(LOWEST)} and ${fill(HIGHEST)}`];
}

function hyphenate(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Joins conditions; without any it does not hold. */
export function joinByOr(sql: Sql, conditions: Fragment[]): Fragment {
  const [first, ...others] = conditions;
  if (first === undefined) return sql`false`;
  return others.reduce((all, condition) => sql`${all} or ${condition}`, first);
}
