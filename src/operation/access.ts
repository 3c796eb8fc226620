import type { SqlOrTransaction } from "../database/sql.ts";

/** Who sees and who may change our tables, where it is not as it should be. */
export interface Access {
  /** Why the service, or the owner of the functions, does not see every row, and what to do. */
  hidden: string | null;
  /** Who may write our tables for no other reason than that everything is granted to them. */
  writers: string | null;
  /** Who was granted to read a table of ours whose row-level security has no policy for them. */
  blindReaders: string | null;
}

const OPEN_DETAIL =
  "may write tables of this service, as roles of the database's default privileges: run: revoke " +
  "insert, update, delete, truncate, references, trigger on";

/** Looks at the catalogs alone, whatever the number of rows; null where the migrations or the role's grants are older. */
export async function readAccess(sql: SqlOrTransaction): Promise<Access | null> {
  return await isInstalled(sql) ? await find(sql) : null;
}

/** What `/readyz` tells as its check `access`. */
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
      : `row-level security hides every row from who was granted to read them: ${blindReaders}: ` +
        "run: create policy NAME on TABLE for select to ROLE using (true)",
  ].filter((detail) => detail !== null);
  return problems.length === 0
    ? { status: "ok", detail: "the service sees every row, and nobody else may write them" }
    : { status: "degraded", detail: problems.join("; ") };
}

async function isInstalled(sql: SqlOrTransaction): Promise<boolean> {
  const [row] = await sql<[{ isInstalled: boolean }]>`
    select coalesce(
      has_function_privilege(to_regprocedure('assignment.explain_hidden_rows(name)'), 'execute'),
      false
    ) as is_installed
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
      -- Whom default privileges name, of whichever owner: API roles; 0 is public.
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
