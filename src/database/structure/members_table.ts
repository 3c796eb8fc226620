import type { SqlOrTransaction } from "../sql.ts";

/** Where the catalogs say that the members are. */
export interface MembersTable {
  /** Whether there is a schema `public`. */
  hasPublic: boolean;
  /** What `public.members` is; null: it does not exist. */
  relation: "table" | "view" | "other" | null;
  /** The type of its column `id`; null: it has no such column. */
  idType: string | null;
  /** Whether the current role may read it. */
  mayRead: boolean;
  /** What the foreign key of `trainer_client_assignments.client_id` references; null: there is no such key. */
  key: { schema: string; table: string; column: string; isMembers: boolean } | null;
}

/** Finds the members' table, also under another name: the foreign key follows a renamed or moved table. */
export async function findMembersTable(sql: SqlOrTransaction): Promise<MembersTable> {
  const [row] = await sql<[MembersTable]>`
    with members as (
      select c.oid, c.relkind
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public'
        and c.relname = 'members'
    )
    select
      exists (select from pg_catalog.pg_namespace where nspname = 'public') as has_public,
      (
        select case when relkind in ('r', 'p') then 'table' when relkind = 'v' then 'view' else 'other' end
        from members
      ) as relation,
      id.type as id_type,
      coalesce(id.may_read, false) as may_read,
      (
        select json_build_object(
          'schema', n.nspname,
          'table', c.relname,
          'column', a.attname,
          'isMembers', exists (select from members m where m.oid = c.oid)
        )
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class c on c.oid = k.confrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.confkey[1]
        where k.conname = 'trainer_client_assignments_client_id_fkey'
          and k.contype = 'f'
          and k.conparentid = 0
        order by k.connamespace = (select oid from pg_catalog.pg_namespace where nspname = 'public') desc, k.oid
        limit 1
      ) as key
    from (select) as always
    left join (
      select
        case when a.atttypid = 'uuid'::regtype then 'uuid' else pg_catalog.format_type(a.atttypid, null) end as type,
        has_column_privilege(m.oid, a.attnum, 'select') as may_read
      from members m
      join pg_catalog.pg_attribute a on a.attrelid = m.oid and a.attname = 'id' and not a.attisdropped
    ) as id on true
  `;
  return row;
}

/** Tells whether the current role can read members by their id. */
export function isReadable({ relation, idType, mayRead }: MembersTable): boolean {
  return relation !== null && idType === "uuid" && mayRead;
}

/** Says what is wrong with `public.members(id uuid)` and which statement repairs it; null when nothing is wrong. */
export function describeMembersTable({ hasPublic, relation, idType, key }: MembersTable): string | null {
  const moved = key !== null && !key.isMembers ? key : null;
  if (!hasPublic && moved !== null) {
    return `schema public was renamed to ${quote(moved.schema)}; run: alter schema ${
      quote(moved.schema)
    } rename to public`;
  }
  if (relation === null) {
    return moved === null
      ? "table public.members is missing: create it again, then run: deno task migrate repair"
      : `table public.members was renamed to ${nameOf(moved)}; run: ${giveNameBack(moved)}`;
  }
  if (relation !== "table") {
    const what = `public.members is ${
      relation === "view" ? "a view" : "not a table"
    }, which no foreign key can reference`;
    return moved === null
      ? `${what}: make it a table, then run: deno task migrate repair`
      : `${what}, and the table was renamed to ${nameOf(moved)}; run: drop view public.members; ${
        giveNameBack(moved)
      }`;
  }
  if (idType === null && key?.isMembers) {
    return `column id of public.members was renamed to ${key.column}; ` +
      `run: alter table public.members rename column ${quote(key.column)} to id`;
  }
  if (idType !== "uuid") {
    return `public.members has ${idType === null ? "no column id" : `an id of type ${idType}`}: ` +
      "it must be of type uuid and unique, then run: deno task migrate repair";
  }
  return null;
}

function nameOf({ schema, table }: { schema: string; table: string }): string {
  return `${quote(schema)}.${quote(table)}`;
}

/** Writes the statements that name a table `public.members` again. */
function giveNameBack({ schema, table }: { schema: string; table: string }): string {
  return [
    ...(table === "members" ? [] : [`alter table ${nameOf({ schema, table })} rename to members`]),
    ...(schema === "public" ? [] : [`alter table ${quote(schema)}.members set schema public`]),
  ].join("; ");
}

function quote(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
