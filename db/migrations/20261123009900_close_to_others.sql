-- Takes back the default privileges on everything that earlier migrations created, and lets the owner see every row of its
-- tables even when row-level security is forced. A later migration calls assignment.close_table for its table itself.
-- Locks: access exclusive on the tables of this service, for milliseconds (given up after 5 s).
-- Reversible, except that revoked default privileges stay revoked: they were never intended.

-- migrate:up
set local lock_timeout = '5s';

do $$
declare
  v_statement text;
begin
  perform assignment.close_table(own) from assignment.own_tables() as own;

  for v_statement in
    select format('revoke all on %s from %s', c.oid::regclass, grantee)
    from pg_class c
    cross join assignment.default_grantees(c.relowner, c.relnamespace, 'r') as grantee
    where c.relnamespace = 'assignment'::regnamespace
      and c.relkind in ('v', 'm')
    union all
    select format('revoke all on function %s from %s', p.oid::regprocedure, grantee)
    from pg_proc p
    cross join assignment.default_grantees(p.proowner, p.pronamespace, 'f') as grantee
    where p.pronamespace = 'assignment'::regnamespace
    union all
    select format('revoke all on schema assignment from %s', grantee)
    from pg_namespace n
    cross join assignment.default_grantees(n.nspowner, 0, 'n') as grantee
    where n.nspname = 'assignment'
  loop
    execute v_statement;
  end loop;
end;
$$;

-- migrate:down
set local lock_timeout = '5s';

do $$
declare
  v_table regclass;
begin
  for v_table in
    select polrelid::regclass
    from pg_policy
    where polname = 'owner_does_all'
      and polrelid in (select oid from pg_class where relnamespace = to_regnamespace('assignment'))
  loop
    execute format('drop policy owner_does_all on %s', v_table);
  end loop;
end;
$$;
