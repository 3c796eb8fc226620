-- Lets the service record who came in and who was refused: what changes nothing in the database.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_access(p_actor text, p_action text, p_after jsonb default null, p_request_id text default null)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
begin
  if p_action not in ('session.started', 'access.refused') then
    raise exception '% is no kind of access', p_action using errcode = 'invalid_parameter_value';
  end if;
  perform assignment.record_audit(p_actor, p_action, p_after => p_after, p_request_id => p_request_id);
end;
$$;

revoke execute on function assignment.record_access(text, text, jsonb, text) from public;
comment on function assignment.record_access(text, text, jsonb, text) is
  'Adds session.started or access.refused to the audit log.';

-- migrate:down
drop function if exists assignment.record_access(text, text, jsonb, text);
