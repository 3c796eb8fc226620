-- Changes the capacity of a trainer, and whether the trainer accepts clients.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.set_trainer(
  p_trainer_id uuid,
  p_capacity integer,
  p_accepts_clients boolean,
  p_note text,
  p_actor text
)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
begin
  if not exists (select from public.members where id = p_trainer_id) then
    perform assignment.require_visible_rows();
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  end if;
  insert into assignment.trainers (trainer_id, capacity, accepts_clients, note, updated_by)
  values (p_trainer_id, p_capacity, p_accepts_clients, p_note, p_actor)
  on conflict (trainer_id) do update set
    capacity = excluded.capacity,
    accepts_clients = excluded.accepts_clients,
    note = excluded.note,
    updated_at = now(),
    updated_by = excluded.updated_by;
  -- Sign-ups that began before this and have not committed yet take no seat; the scheduled reconciliation counts them.
  perform assignment.settle_seats(p_trainer_id);
  perform assignment.refresh_settings();
  perform assignment.make_waiting_due(array_fill(p_trainer_id, array[least(coalesce(p_capacity, 1000), 1000)]));
end;
$$;

revoke execute on function assignment.set_trainer(uuid, integer, boolean, text, text) from public;
comment on function assignment.set_trainer(uuid, integer, boolean, text, text) is
  'Sets what a trainer takes. Clients beyond a lowered capacity stay. Makes up to 1,000 failures due that wait for the
trainer. Raises TA001 p_trainer_id is not a member.';

-- migrate:down
drop function if exists assignment.set_trainer(uuid, integer, boolean, text, text);
