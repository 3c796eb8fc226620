-- Members by chance, to show what fields they have.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.sample_members(p_percent real)
  returns setof jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- raises an error where policies hide rows
  set jit = off
  language plpgsql
as $$
begin
  return query select to_jsonb(m) from public.members m tablesample system (p_percent) limit 2000;
end;
$$;

revoke execute on function assignment.sample_members(real) from public;
comment on function assignment.sample_members(real) is
  'The rows of at most 2,000 members, of so many percent of the blocks of their table, by chance.';

-- migrate:down
drop function if exists assignment.sample_members(real);
