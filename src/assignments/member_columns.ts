import type postgres from "postgres";
import { type AskedColumn, DEFAULT_MEMBER_COLUMNS, type MemberColumns } from "../config/member_columns.ts";
import { quoteIdentifier } from "../database/quoting.ts";
import type { Sql, SqlOrTransaction } from "../database/sql.ts";

/** Where the names of members are read. */
export interface MemberSource {
  sql: Sql;
  memberColumns?: MemberColumns;
}

/** A column as the database has it. */
export interface FoundColumn {
  column: string;
  mayRead: boolean;
  /** Whether it is text, which an index on the column serves as it is. */
  isText: boolean;
  /** Whether the collation allows ILIKE. */
  isDeterministic: boolean;
  /** What a trigram index is on: the column, or `lower` of it; null: there is none. */
  trigramIndex: "column" | "lower" | null;
  /** Whether an index finds whole values. */
  hasValueIndex: boolean;
}

/** The columns that can be read; null: there is none. */
export interface ReadableColumns {
  name: FoundColumn | null;
  email: FoundColumn | null;
}

/** A piece of SQL. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** Finds the columns that members has and that the current role may read: the table is the application's. */
export async function findReadableColumns(
  { sql, memberColumns = DEFAULT_MEMBER_COLUMNS }: MemberSource,
): Promise<ReadableColumns> {
  const found = await findColumns(sql, memberColumns);
  const readable = (asked: AskedColumn | null) =>
    found.find(({ column, mayRead }) => column === asked?.column && mayRead) ?? null;
  return { name: readable(memberColumns.name), email: readable(memberColumns.email) };
}

/** Reads from the catalogs which of the configured columns there are, readable or not. */
export async function findColumns(
  sql: SqlOrTransaction,
  { name, email }: MemberColumns,
): Promise<FoundColumn[]> {
  const asked = [name, email].flatMap((each) => each === null ? [] : [each.column]);
  if (asked.length === 0) return [];
  return [
    ...await sql<FoundColumn[]>`
      select
        a.attname::text as "column",
        has_column_privilege(a.attrelid, a.attnum, 'select') as may_read,
        t.typcategory = 'S' as is_text,
        coalesce(c.collisdeterministic, true) as is_deterministic,
        (
          select min(case when i.indkey[k.place] = a.attnum then 'column' else 'lower' end)
          from pg_catalog.pg_index i
          cross join generate_series(0, i.indnkeyatts - 1) as k (place)
          join pg_catalog.pg_opclass o on o.oid = i.indclass[k.place]
          where i.indrelid = a.attrelid
            and i.indisvalid
            and i.indpred is null
            and o.opcname in ('gin_trgm_ops', 'gist_trgm_ops')
            and (
              i.indkey[k.place] = a.attnum
              or (  -- an expression with lower: pg_get_indexdef would wait while the table is locked
                i.indkey[k.place] = 0
                and exists (
                  select
                  from pg_catalog.pg_attribute x
                  where x.attrelid = i.indexrelid
                    and x.attnum = k.place + 1
                    and x.attname like 'lower%'
                )
                and exists (
                  select
                  from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_class'::regclass
                    and d.objid = i.indexrelid
                    and d.refclassid = 'pg_catalog.pg_class'::regclass
                    and d.refobjid = a.attrelid
                    and d.refobjsubid = a.attnum
                )
              )
            )
        ) as trigram_index,
        exists (
          select
          from pg_catalog.pg_index i
          join pg_catalog.pg_class index on index.oid = i.indexrelid
          join pg_catalog.pg_am m on m.oid = index.relam
          where i.indrelid = a.attrelid
            and i.indisvalid
            and i.indpred is null
            and i.indkey[0] = a.attnum
            and m.amname in ('btree', 'hash')
        ) as has_value_index
      from pg_catalog.pg_attribute a
      join pg_catalog.pg_type t on t.oid = a.atttypid
      left join pg_catalog.pg_collation c on c.oid = a.attcollation
      where a.attrelid = to_regclass('public.members')
        and a.attname = any (${asked}::text[])
        and a.attnum > 0
        and not a.attisdropped
      order by array_position(${asked}::text[], a.attname::text)
    `,
  ];
}

/** The column as text; of members as `m`. */
export function columnText(sql: SqlOrTransaction, column: FoundColumn | null): Fragment {
  return column === null ? sql`null::text` : sql`m.${sql.unsafe(quoteIdentifier(column.column))}::text`;
}

/** The column as it is, for an index on its values; of members as `m`. */
export function columnValue(sql: SqlOrTransaction, column: FoundColumn): Fragment {
  return column.isText ? sql`m.${sql.unsafe(quoteIdentifier(column.column))}` : columnText(sql, column);
}
