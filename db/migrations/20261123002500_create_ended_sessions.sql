-- Sessions of the admin page that were signed out of: their cookies are sealed and good by themselves for eight hours, so
-- that every replica has to hear of an end before that.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.ended_sessions (
  id uuid not null,
  expires_at timestamptz not null,
  constraint ended_sessions_pkey primary key (id)
);

comment on table assignment.ended_sessions is
  'Sessions of the admin page that were signed out of before they expired. Those that have expired since are removed as others end.';

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

  -- Later than they expire, for the clocks of replicas differ.
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
  'Records that a session was signed out of, and forgets up to 100 that have expired.';

-- migrate:down
drop function if exists assignment.end_session(uuid, timestamptz);
drop table if exists assignment.ended_sessions;
