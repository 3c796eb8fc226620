-- Tells which members no longer exist. A violated foreign key alone proves nothing: the key still points at its table
-- after that table was renamed.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_gone_members(p_member_ids uuid[])
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- an error, where policies would hide rows, rather than taking their members for gone
  set enable_seqscan = off  -- the statistics may be from before the table grew
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
  'Which of the members public.members lacks. Null where the owner of this function may not see all of it.';

-- migrate:down
drop function if exists assignment.find_gone_members(uuid[]);
