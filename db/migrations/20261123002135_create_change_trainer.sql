-- Changes some settings of a trainer and keeps the others. Two who change different ones at once do not undo each other.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.change_trainer(p_trainer_id uuid, p_change jsonb, p_actor text)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_now assignment.trainers;
begin
  insert into assignment.trainers (trainer_id) values (p_trainer_id) on conflict (trainer_id) do nothing;
  select * into v_now from assignment.trainers where trainer_id = p_trainer_id for update;
  perform assignment.set_trainer(
    p_trainer_id,
    case when p_change ? 'capacity' then (p_change ->> 'capacity')::integer else v_now.capacity end,
    case when p_change ? 'acceptsClients' then (p_change ->> 'acceptsClients')::boolean else v_now.accepts_clients end,
    case when p_change ? 'note' then p_change ->> 'note' else v_now.note end,
    p_actor
  );
end;
$$;

revoke execute on function assignment.change_trainer(uuid, jsonb, text) from public;
comment on function assignment.change_trainer(uuid, jsonb, text) is
  'Sets capacity, acceptsClients and note of a trainer, those that p_change has. Raises TA001 p_trainer_id is not a member.';

-- migrate:down
drop function if exists assignment.change_trainer(uuid, jsonb, text);
