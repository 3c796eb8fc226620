-- Ends one assignment on request. The row stays as history.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.end_assignment(
  p_member_id uuid,
  p_trainer_id uuid,
  p_actor text default null,
  p_request_id text default null
)
  returns boolean
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_id uuid;
begin
  v_id := assignment.end_one(p_member_id, p_trainer_id, coalesce(p_actor, assignment.database_role()));
  if v_id is null then
    return false;
  end if;
  perform assignment.record_audit(
    p_actor,
    'assignment.ended',
    'assignment:' || v_id,
    array[p_trainer_id],
    jsonb_build_object('trainerId', p_trainer_id),
    p_request_id => p_request_id
  );
  return true;
end;
$$;

revoke execute on function assignment.end_assignment(uuid, uuid, text, text) from public;
comment on function assignment.end_assignment(uuid, uuid, text, text) is
  'Ends the active assignment of a member to a trainer: its status becomes inactive. False when there is none. p_actor null:
the database role. Writes assignment.ended to the audit log. Raises TA004 failed (SQLSTATE in detail).';

-- migrate:down
drop function if exists assignment.end_assignment(uuid, uuid, text, text);
