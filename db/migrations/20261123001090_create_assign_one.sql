-- Assigns one member by hand.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_one(
  p_request assignment.request,
  p_member_id uuid,
  p_trainer_id uuid,
  out assigned boolean,
  out id uuid,
  out assignment_date timestamptz,
  out source text,
  out notes text
)
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_result assignment.pairs_result;
begin
  for v_try in 1..3 loop
    begin
      v_result := assignment.assign_members(p_request, array[p_member_id], array[p_trainer_id]);
    exception when sqlstate 'TA009' then
      raise exception 'member % could not be assigned: %', p_member_id, sqlerrm using errcode = 'TA004', detail = 'TA009';
    end;
    if cardinality(v_result.full_pairs) > 0 then
      raise exception 'trainer % has no room', p_trainer_id
        using errcode = 'TA011', hint = 'To assign the member all the same, force it.';
    elsif cardinality(v_result.gone_ids) > 0 then
      raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
    elsif cardinality(v_result.failures) > 0 then
      raise exception 'member % could not be assigned: %', p_member_id, v_result.failures[1].message
        using errcode = 'TA004', detail = v_result.failures[1].sqlstate;
    end if;
    assigned := cardinality(v_result.assigned) = 1;

    select a.id, a.assignment_date, a.source, a.notes
    into id, assignment_date, source, notes
    from public.trainer_client_assignments a
    where a.client_id = p_member_id
      and a.trainer_id = p_trainer_id
      and a.status = 'active';
    exit when found;  -- otherwise the existing assignment was ended meanwhile
  end loop;
  if id is null then
    raise exception 'member % could not be assigned: no active assignment remains', p_member_id
      using errcode = 'TA004', detail = 'TA008';
  end if;
end;
$$;

revoke execute on function assignment.assign_one(assignment.request, uuid, uuid) from public;
comment on function assignment.assign_one(assignment.request, uuid, uuid) is
  'Assigns one member to one trainer, and returns the active assignment. assigned is false when it already existed.
Raises TA002 member not found, TA004 failed (SQLSTATE in detail), TA011 the trainer has no room.';

-- migrate:down
drop function if exists assignment.assign_one(assignment.request, uuid, uuid);
