-- Records that a session has ended. The service calls it; it has no right to write the table.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.end_session(
  p_id uuid,
  p_expires_at timestamptz,
  p_actor text default null,
  p_request_id text default null
)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
begin
  insert into assignment.ended_sessions (id, expires_at) values (p_id, p_expires_at) on conflict (id) do nothing;
  if found then
    perform assignment.record_audit(p_actor, 'session.ended', p_request_id => p_request_id);
  end if;

  -- One hour after they expire, because the clocks of replicas differ.
  delete from assignment.ended_sessions
  where id in (
    select id
    from assignment.ended_sessions
    where expires_at < now() - interval '1 hour'
    order by id
    limit 100
    for update skip locked
  );
end;
$$;

revoke execute on function assignment.end_session(uuid, timestamptz, text, text) from public;
comment on function assignment.end_session(uuid, timestamptz, text, text) is
  'Records that a session has ended, also in the audit log, and deletes up to 100 expired ones.';

-- migrate:down
drop function if exists assignment.end_session(uuid, timestamptz, text, text);
