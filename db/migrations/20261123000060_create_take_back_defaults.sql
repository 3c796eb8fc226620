-- Takes back what default privileges grant on a new table: nobody reads members' data by accident.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.take_back_defaults(p_table regclass)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_grantee text;
begin
  for v_grantee in
    select assignment.default_grantees(relowner, relnamespace, 'r') from pg_class where oid = p_table
  loop
    execute format('revoke all on %s from %s', p_table, v_grantee);
  end loop;
end;
$$;

revoke execute on function assignment.take_back_defaults(regclass) from public;
comment on function assignment.take_back_defaults(regclass) is
  'Revokes what default privileges granted when the table was created. Call it right after that: it would also
revoke later grants to the same roles.';

-- migrate:down
drop function if exists assignment.take_back_defaults(regclass);
