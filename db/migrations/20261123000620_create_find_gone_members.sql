-- Tells which members no longer exist. A violated foreign key alone does not prove it: when members is renamed, the key
-- still references the renamed table.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_gone_members(p_member_ids uuid[])
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- raises an error where policies hide rows: a hidden member is not gone
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
begin
  return array(
    select asked.id
    from unnest(p_member_ids) as asked (id)
    where (select m.id from public.members m where m.id = asked.id limit 1) is null
    order by asked.id
  );
exception when insufficient_privilege or undefined_table or undefined_column then
  return null;
end;
$$;

revoke execute on function assignment.find_gone_members(uuid[]) from public;
comment on function assignment.find_gone_members(uuid[]) is
  'The given members whose id is not in public.members. Null when the owner of this function cannot see all rows.';

-- migrate:down
drop function if exists assignment.find_gone_members(uuid[]);
