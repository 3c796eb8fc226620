-- Ends one assignment by hand.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.end_one(p_member_id uuid, p_trainer_id uuid, p_actor text)
  returns uuid
  volatile
  set search_path = pg_catalog, pg_temp
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
      return null;
    end if;
    begin
      v_is_ended := assignment.end_assignments(array[v_id], 'manual', p_actor) = 1;
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
  return v_id;
end;
$$;

revoke execute on function assignment.end_one(uuid, uuid, text) from public;
comment on function assignment.end_one(uuid, uuid, text) is
  'Ends the active assignment of a member to a trainer, and returns its id: null when there is none.
Raises TA004 failed (SQLSTATE in detail).';

-- migrate:down
drop function if exists assignment.end_one(uuid, uuid, text);
