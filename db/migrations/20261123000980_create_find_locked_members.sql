-- Finds members that another session has locked: one of them would let a whole batch of retries time out.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_locked_members(p_member_ids uuid[])
  returns uuid[]
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_free_ids uuid[];
begin
  v_free_ids := array(
    select id from public.members where id = any (p_member_ids) order by id for key share skip locked
  );
  return array(
    select id from public.members where id = any (p_member_ids) and id <> all (v_free_ids) order by id
  );
exception when insufficient_privilege then  -- locking rows needs the right to update
  return '{}';
end;
$$;

revoke execute on function assignment.find_locked_members(uuid[]) from public;
comment on function assignment.find_locked_members(uuid[]) is
  'The given members whose row another session has locked, so that no assignment can reference it. Locks the other rows
as a foreign key does. Empty when the owner of this function may not update members.';

-- migrate:down
drop function if exists assignment.find_locked_members(uuid[]);
