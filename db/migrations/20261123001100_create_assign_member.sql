-- Assigns one member on request of a person or a program. The HTTP routes call it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_member(
  p_member_id uuid,
  p_trainer_id uuid default null,
  p_notes text default null,
  p_source text default 'manual',
  p_by_force boolean default false,
  p_actor text default null,
  p_request_id text default null,
  out assigned boolean,
  out trainer_id uuid,
  out id uuid,
  out assignment_date timestamptz,
  out source text,
  out notes text
)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_request assignment.request;
  v_result assignment.pairs_result;
begin
  v_request.purpose := 'fill';
  v_request.source := p_source;
  v_request.actor := coalesce(p_actor, assignment.database_role());
  v_request.notes := p_notes;
  v_request.by_force := p_by_force;
  trainer_id := coalesce(p_trainer_id, assignment.default_trainer_id());
  if not exists (select from public.members m where m.id = p_member_id) then
    perform assignment.require_visible_rows();  -- a hidden member exists all the same
    raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
  elsif not exists (select from public.members m where m.id = assign_member.trainer_id) then
    perform assignment.require_visible_rows();
    raise exception 'trainer % is not a member', trainer_id using errcode = 'TA001';
  elsif trainer_id = p_member_id then
    raise exception 'member % cannot be their own trainer', p_member_id using errcode = 'TA003';
  end if;

  for v_try in 1..3 loop
    begin
      v_result := assignment.assign_members(v_request, array[p_member_id], array[trainer_id]);
    exception when sqlstate 'TA009' then
      raise exception 'member % could not be assigned: %', p_member_id, sqlerrm using errcode = 'TA004', detail = 'TA009';
    end;
    if cardinality(v_result.full_pairs) > 0 then
      raise exception 'trainer % has no room', trainer_id
        using errcode = 'TA011', hint = 'To assign the member all the same, force it.';
    elsif cardinality(v_result.gone_ids) > 0 then
      raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
    elsif cardinality(v_result.failures) > 0 then
      raise exception 'member % could not be assigned: %', p_member_id, v_result.failures[1].message
        using errcode = 'TA004', detail = v_result.failures[1].sqlstate;
    end if;
    assigned := cardinality(v_result.assigned) = 1;

    select a.id, a.assignment_date, a.source, a.notes
    into assign_member.id, assign_member.assignment_date, assign_member.source, assign_member.notes
    from public.trainer_client_assignments a
    where a.client_id = p_member_id
      and a.trainer_id = assign_member.trainer_id
      and a.status = 'active';
    exit when found;  -- otherwise the existing assignment was ended meanwhile
  end loop;
  if id is null then
    raise exception 'member % could not be assigned: no active assignment remains', p_member_id
      using errcode = 'TA004', detail = 'TA008';
  end if;

  if assigned and source = 'manual' then
    perform assignment.record_audit(
      p_actor,
      'assignment.made',
      'assignment:' || id,
      array[trainer_id],
      p_after => jsonb_build_object('trainerId', trainer_id, 'force', p_by_force),
      p_request_id => p_request_id
    );
  end if;

  -- Skips a locked failure: the retry that holds it finds the member assigned, and may be waiting for this transaction.
  delete from assignment.failures f
  where f.member_id = (select member_id from assignment.failures where member_id = p_member_id for update skip locked)
    and assign_member.trainer_id = coalesce(f.requested_trainer_id, (select default_trainer_id from assignment.settings));
end;
$$;

revoke execute on function assignment.assign_member(uuid, uuid, text, text, boolean, text, text) from public;
comment on function assignment.assign_member(uuid, uuid, text, text, boolean, text, text) is
  'Assigns one member to a trainer, by default the default trainer. assigned is false when the assignment already existed.
An ended assignment gets a new row. p_by_force: also beyond the capacity of the trainer. p_actor null: the
database role. Writes assignment.made to the audit log when the source is manual.
Raises TA001 trainer not found, TA002 member not found, TA003 member is the trainer, TA004 failed (SQLSTATE in detail),
TA011 the trainer has no room.';

-- migrate:down
drop function if exists assignment.assign_member(uuid, uuid, text, text, boolean, text, text);
