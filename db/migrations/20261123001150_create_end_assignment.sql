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
  v_is_ended boolean;
begin
  for v_try in 1..3 loop
    select id into v_id
    from public.trainer_client_assignments
    where client_id = p_member_id
      and trainer_id = p_trainer_id
      and status = 'active';
    if not found then
      return false;
    end if;
    begin
      v_is_ended := assignment.end_assignments(array[v_id], 'manual', coalesce(p_actor, assignment.database_role())) = 1;
    exception when others or assert_failure then
      if assignment.is_transient(sqlstate) then
        raise;
      end if;
      raise exception 'assignment % could not be ended: %', v_id, sqlerrm using errcode = 'TA004', detail = sqlstate;
    end;
    exit when v_is_ended;  -- otherwise another session has just ended it, and may have assigned anew
  end loop;
  if not v_is_ended then
    raise exception 'assignment % could not be ended: a trigger or rule on trainer_client_assignments kept it', v_id
      using errcode = 'TA004', detail = 'TA008';
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
