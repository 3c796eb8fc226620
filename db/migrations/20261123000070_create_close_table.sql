-- Protects a new table of this service. Each migration calls it for the table that it creates.
-- Locks: none by the migration. The function takes access exclusive on the table. Reversible.

-- migrate:up
create function assignment.close_table(p_table regclass)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.take_back_defaults(p_table);
  perform assignment.admit(p_table, pg_get_userbyid(relowner), 'owner_does_all', 'all')
  from pg_class
  where oid = p_table;
end;
$$;

revoke execute on function assignment.close_table(regclass) from public;
comment on function assignment.close_table(regclass) is
  'Takes back what default privileges granted on a new table, and lets its owner see every row even when row-level
security is forced.';

-- migrate:down
drop function if exists assignment.close_table(regclass);
