-- Records that a session has ended. The service calls it; it has no right to write the table.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.end_session(p_id uuid, p_expires_at timestamptz)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
begin
  insert into assignment.ended_sessions (id, expires_at) values (p_id, p_expires_at) on conflict (id) do nothing;

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

revoke execute on function assignment.end_session(uuid, timestamptz) from public;
comment on function assignment.end_session(uuid, timestamptz) is
  'Records that a session has ended, and deletes up to 100 expired ones.';

-- migrate:down
drop function if exists assignment.end_session(uuid, timestamptz);
