import type { SqlOrTransaction } from "../sql.ts";
import type { Difference } from "./differences.ts";
import { attempt, type RepairReport, type Transaction } from "./repair_report.ts";

/** Revokes what default privileges have granted on the tables and functions that were created anew. */
export async function revokeDefaultGrants(
  transaction: Transaction,
  differences: Difference[],
  report: RepairReport,
): Promise<void> {
  const created = differences.filter(({ object, found }) =>
    found === null && ["table", "view", "sequence", "function"].includes(object.kind)
  );
  const names = (kinds: string[]) =>
    created.filter(({ object }) => kinds.includes(object.kind)).map(({ object }) => object.name);
  const grants = await transaction<{ revoke: string }[]>`
    select distinct
      format('revoke all on %s from %s', o.name, case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end) as revoke
    from unnest(${names(["table", "view", "sequence"])}::text[]) as o (name)
    join pg_catalog.pg_class c on c.oid = to_regclass(o.name)
    cross join aclexplode(c.relacl) a
    left join pg_catalog.pg_roles r on r.oid = a.grantee
    where a.grantee <> c.relowner
    union all
    select distinct format('revoke all on function %s from %I', o.name, r.rolname)
    from unnest(${names(["function"])}::text[]) as o (name)
    join pg_catalog.pg_proc p on p.oid = to_regprocedure(o.name)
    cross join aclexplode(p.proacl) a
    join pg_catalog.pg_roles r on r.oid = a.grantee
    where a.grantee <> p.proowner
  `;
  for (const { revoke } of grants) await attempt(transaction, revoke, revoke, report);
  for (const table of names(["table"])) {
    const close = `select assignment.close_table(${literal(table)})`;
    await attempt(transaction, close, close, report);
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Lists the roles that the service runs as: those that may call two at least of what `assignment.grant_service` lets it call.
 * Another may have been granted one by hand, and one may have been made anew without its rights.
 */
export async function findServiceRoles(sql: SqlOrTransaction): Promise<string[]> {
  const roles = await sql<{ role: string }[]>`
    select r.rolname as role
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = 'assignment'
    cross join aclexplode(p.proacl) a
    join pg_catalog.pg_roles r on r.oid = a.grantee
    where p.proname in ('backfill_step', 'end_assignment', 'reconcile')
      and a.grantee <> p.proowner
    group by r.rolname
    having count(distinct p.proname) >= 2
    order by role
  `;
  return roles.map(({ role }) => role);
}

/** Grants the service's roles what they need on the new objects. */
export async function grantServiceRoles(
  transaction: Transaction,
  roles: string[],
  report: RepairReport,
): Promise<void> {
  for (const role of roles) {
    const grant = `select assignment.grant_service(${literal(role)})`;
    if (await attempt(transaction, grant, `the rights of ${role}`, report)) {
      report.repaired.push(`the rights of ${role} on what is new`);
    }
  }
  if (roles.length === 0) {
    report.notes.push(
      "if the service runs as a role of its own, run: select assignment.grant_service('…role…')",
    );
  }
}
