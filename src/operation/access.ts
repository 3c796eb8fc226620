import type { SqlOrTransaction } from "../database/sql.ts";

/** What is wrong with the access to our tables. */
export interface Access {
  /** Why the service, or the owner of the functions, does not see every row, and what to do; null if they do. */
  hidden: string | null;
  /** The roles that may write our tables only by default privileges; null if there are none. */
  writers: string | null;
  /** The roles that may read a table of ours but see no row, for lack of a policy; null if there are none. */
  blindReaders: string | null;
}

const OPEN_DETAIL =
  "may write tables of this service, as roles of the database's default privileges: run: revoke " +
  "insert, update, delete, truncate, references, trigger on";

/** Reads the access from the catalogs; null when a migration or a grant that this needs is missing. */
export async function readAccess(sql: SqlOrTransaction): Promise<Access | null> {
  return await isInstalled(sql) ? await find(sql) : null;
}

/** Describes the access for the check `access` of `/readyz`. */
export function describeAccess(access: Access | null): { status: "ok" | "degraded"; detail: string } {
  if (access === null) {
    return {
      status: "degraded",
      detail:
        "not known: run deno task migrate, then as the owner: select assignment.grant_service('…role…')",
    };
  }
  const { hidden, writers, blindReaders } = access;
  const problems = [
    hidden,
    writers === null ? null : `${OPEN_DETAIL} ${writers}`,
    blindReaders === null
      ? null
      : `row-level security hides every row from roles that may read the table: ${blindReaders}: ` +
        "run: create policy NAME on TABLE for select to ROLE using (true)",
  ].filter((detail) => detail !== null);
  return problems.length === 0
    ? { status: "ok", detail: "the service sees every row, and nobody else may write them" }
    : { status: "degraded", detail: problems.join("; ") };
}

/** Functions of which a role lacks one whose grants are older than the functions. */
const GRANTED = ["assignment.explain_hidden_rows(name)", "assignment.tend_outbox()"];

async function isInstalled(sql: SqlOrTransaction): Promise<boolean> {
  const [row] = await sql<[{ isInstalled: boolean }]>`
    select bool_and(
      coalesce(has_function_privilege(to_regprocedure(name), 'execute'), false)
    ) as is_installed
    from unnest(${GRANTED}::text[]) as name
  `;
  return row.isInstalled;
}

async function find(sql: SqlOrTransaction): Promise<Access> {
  const [access] = await sql<[Access]>`
    with own as (
      select c.oid, c.relowner, c.relrowsecurity, c.relacl
      from pg_catalog.pg_class c
      where c.relkind in ('r', 'p')
        and (
          c.relnamespace = to_regnamespace('assignment')
          or c.oid = to_regclass('public.trainer_client_assignments')
        )
    ),
    given_all as (
      -- The grantees of default privileges, such as API roles; 0 is public.
      select distinct a.grantee as oid
      from pg_catalog.pg_default_acl d
      cross join aclexplode(d.defaclacl) a
      where d.defaclobjtype = 'r'
        and (d.defaclnamespace = 0 or d.defaclnamespace in (to_regnamespace('public'), to_regnamespace('assignment')))
      union
      select 0
    )
    select
      coalesce(
        assignment.explain_hidden_rows(),
        assignment.explain_hidden_rows((
          select pg_catalog.pg_get_userbyid(proowner)
          from pg_catalog.pg_proc
          where oid = to_regprocedure('assignment.require_visible_rows()')
        ))
      ) as hidden,
      (
        select string_agg(
          distinct own.oid::regclass || ' from ' || case when g.oid = 0 then 'public' else g.oid::regrole::text end,
          ', '
        )
        from own
        join given_all g on g.oid <> own.relowner
        left join pg_catalog.pg_roles r on r.oid = g.oid
        where not coalesce(r.rolsuper or r.rolbypassrls, false)
          and exists (
            select
            from aclexplode(own.relacl) a
            where a.grantee = g.oid
              and a.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
          )
      ) as writers,
      (
        select string_agg(distinct own.oid::regclass || ' from ' || a.grantee::regrole, ', ')
        from own
        cross join aclexplode(own.relacl) a
        join pg_catalog.pg_roles r on r.oid = a.grantee and not r.rolsuper and not r.rolbypassrls
        where own.relrowsecurity
          and a.privilege_type = 'SELECT'
          and a.grantee <> own.relowner
          and a.grantee not in (select oid from given_all)
          and not exists (
            select
            from pg_catalog.pg_policy p
            cross join unnest(p.polroles) as admitted (oid)
            where p.polrelid = own.oid
              and p.polcmd in ('r', '*')
              and (admitted.oid = 0 or pg_has_role(a.grantee, admitted.oid, 'usage'))
          )
      ) as blind_readers
  `;
  return access;
}
