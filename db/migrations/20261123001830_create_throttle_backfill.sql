-- Records why a run waits, so that every replica and the admin page can show it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.throttle_backfill(
  p_run_id uuid,
  p_because text,
  p_replica_lag text,
  p_lock_waiters text
)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '10s'
  language plpgsql
as $$
begin
  update assignment.backfill_runs
  set throttled_because = p_because,
    replica_lag = p_replica_lag,
    lock_waiters = p_lock_waiters
  where id = p_run_id
    and status = 'running'
    and (throttled_because, replica_lag, lock_waiters) is distinct from (p_because, p_replica_lag, p_lock_waiters);
end;
$$;

revoke execute on function assignment.throttle_backfill(uuid, text, text, text) from public;
comment on function assignment.throttle_backfill(uuid, text, text, text) is
  'Records why a run waits (null: it does not), and the last measurements.';

-- migrate:down
drop function if exists assignment.throttle_backfill(uuid, text, text, text);
