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

  select one.assigned, one.id, one.assignment_date, one.source, one.notes
  into assign_member.assigned, assign_member.id, assign_member.assignment_date, assign_member.source, assign_member.notes
  from assignment.assign_one(v_request, p_member_id, assign_member.trainer_id) as one;

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

  perform assignment.forget_failure(p_member_id, assign_member.trainer_id);
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
