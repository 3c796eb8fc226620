-- Changes the default trainer. The service calls it; it has no right to write settings.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.set_default_trainer(p_trainer_id uuid, p_actor text)
  returns assignment.settings
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_settings assignment.settings;
begin
  insert into assignment.settings (default_trainer_id, updated_by)
  select id, p_actor
  from public.members
  where id = p_trainer_id
  on conflict (only_row) do update set
    default_trainer_id = excluded.default_trainer_id,
    updated_at = now(),
    updated_by = excluded.updated_by
  returning * into v_settings;
  if not found then
    perform assignment.require_visible_rows();  -- a hidden member exists all the same
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  end if;
  return v_settings;
end;
$$;

revoke execute on function assignment.set_default_trainer(uuid, text) from public;
comment on function assignment.set_default_trainer(uuid, text) is
  'Sets the default trainer for future members and for retries, and returns the settings.
Raises TA001 when p_trainer_id is not a member.';

-- migrate:down
drop function if exists assignment.set_default_trainer(uuid, text);
