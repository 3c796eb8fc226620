-- Finds out who is a member, for the choice of trainers.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_members(p_ids uuid[])
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- raises an error where policies hide rows
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
begin
  return array(select m.id from public.members m where m.id = any (p_ids));
exception when insufficient_privilege then
  return p_ids;
end;
$$;

revoke execute on function assignment.find_members(uuid[]) from public;
comment on function assignment.find_members(uuid[]) is
  'Those of the ids that are members. All of them where the owner of the functions may not read members: the foreign key
then refuses the others.';

-- migrate:down
drop function if exists assignment.find_members(uuid[]);
