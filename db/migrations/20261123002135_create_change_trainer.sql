-- Changes some settings of a trainer and keeps the others. Two who change different ones at once do not undo each other.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.change_trainer(p_trainer_id uuid, p_change jsonb, p_actor text, p_request_id text default null)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_before assignment.trainers;
  v_after assignment.trainers;
begin
  if not exists (select from public.members where id = p_trainer_id) then
    perform assignment.require_visible_rows();  -- a hidden member exists all the same
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  end if;
  insert into assignment.trainers (trainer_id) values (p_trainer_id) on conflict (trainer_id) do nothing;
  select * into v_before from assignment.trainers where trainer_id = p_trainer_id for update;
  update assignment.trainers
  set capacity = case when p_change ? 'capacity' then (p_change ->> 'capacity')::integer else capacity end,
    accepts_clients = case when p_change ? 'acceptsClients' then (p_change ->> 'acceptsClients')::boolean else accepts_clients end,
    note = case when p_change ? 'note' then p_change ->> 'note' else note end,
    updated_at = now(),
    updated_by = p_actor
  where trainer_id = p_trainer_id
  returning * into v_after;

  -- Signups that began before this and have not committed yet take no seat; the scheduled reconciliation counts them.
  perform assignment.settle_seats(p_trainer_id);
  perform assignment.refresh_settings();
  perform assignment.make_waiting_due(array_fill(p_trainer_id, array[least(coalesce(v_after.capacity, 1000), 1000)]));
  perform assignment.record_audit(
    p_actor,
    'trainer.changed',
    'trainer:' || p_trainer_id,
    array[p_trainer_id],
    jsonb_build_object('capacity', v_before.capacity, 'acceptsClients', v_before.accepts_clients),
    jsonb_build_object(
      'capacity', v_after.capacity,
      'acceptsClients', v_after.accepts_clients,
      'noteChanged', v_after.note is distinct from v_before.note  -- the note itself may be personal
    ),
    p_request_id
  );
end;
$$;

revoke execute on function assignment.change_trainer(uuid, jsonb, text, text) from public;
comment on function assignment.change_trainer(uuid, jsonb, text, text) is
  'Sets capacity, acceptsClients and note of a trainer, those that p_change has. Clients beyond a lowered capacity stay. Makes
up to 1,000 failures due that wait for the trainer. Raises TA001 p_trainer_id is not a member.';

-- migrate:down
drop function if exists assignment.change_trainer(uuid, jsonb, text, text);
