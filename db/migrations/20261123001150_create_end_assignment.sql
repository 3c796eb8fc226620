-- Ends one assignment on request. The row stays as history.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.end_assignment(p_member_id uuid, p_trainer_id uuid)
  returns boolean
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
begin
  update public.trainer_client_assignments
  set status = 'inactive', ended_at = now()
  where client_id = p_member_id
    and trainer_id = p_trainer_id
    and status = 'active';
  return found;
end;
$$;

revoke execute on function assignment.end_assignment(uuid, uuid) from public;
comment on function assignment.end_assignment(uuid, uuid) is
  'Ends the active assignment of a member to a trainer: its status becomes inactive. False when there is none.';

-- migrate:down
drop function if exists assignment.end_assignment(uuid, uuid);
