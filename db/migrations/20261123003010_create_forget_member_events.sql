-- Deletes what is older than 30 days: longer than providers send an event again by themselves.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.forget_member_events(p_limit integer)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  delete from assignment.member_hook_events
  where id in (
    select id
    from assignment.member_hook_events
    where received_at < now() - interval '30 days'
    order by received_at, id
    limit p_limit
    for update skip locked
  );
  delete from assignment.member_hook_failures
  where id in (
    select id
    from assignment.member_hook_failures
    where last_failed_at < now() - interval '30 days'
    order by last_failed_at, id
    limit p_limit
    for update skip locked
  );
$$;

revoke execute on function assignment.forget_member_events(integer) from public;
comment on function assignment.forget_member_events(integer) is
  'Deletes up to p_limit events of the member hook, and as many of its failures, that are older than 30 days.';

-- migrate:down
drop function if exists assignment.forget_member_events(integer);
