-- Tells whether row-level security hides rows of a table from a role: a hidden member looks like a missing one.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.hides_rows(p_table regclass, p_role name)
  returns boolean
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select (
    select not coalesce(bool_or(is_open) filter (where polpermissive), false)
      or coalesce(bool_or(not is_open) filter (where not polpermissive), false)
    from (
      select p.polpermissive, coalesce(pg_get_expr(p.polqual, p.polrelid) = 'true', not p.polpermissive) as is_open
      from pg_policy p
      where p.polrelid = c.oid
        and p.polcmd in ('r', '*')
        and exists (
          select
          from unnest(p.polroles) as admitted (oid)
          where admitted.oid = 0 or pg_has_role(r.oid, admitted.oid, 'usage')
        )
    ) as policies
  )
  from pg_class c
  join pg_roles r on r.rolname = p_role
  where c.oid = p_table
    and c.relrowsecurity
    and not r.rolsuper
    and not r.rolbypassrls
    and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'usage'))
$$;

revoke execute on function assignment.hides_rows(regclass, name) from public;
comment on function assignment.hides_rows(regclass, name) is
  'Whether row-level security may hide rows of the table from the role. Null: it does not apply to the role.';

-- migrate:down
drop function if exists assignment.hides_rows(regclass, name);
