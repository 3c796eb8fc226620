-- Tells whether backfills should wait: for a standby that lags, or for sessions that wait for locks.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_backfill_pressure(
  p_max_replica_lag_ms integer,
  out throttle_because text,
  out replica_lag text,
  out lock_waiters text
)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_lag_ms double precision;
  v_standby text;
  v_waiters integer;
begin
  if pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'usage') then
    select lag_ms, standby into v_lag_ms, v_standby from assignment.find_replica_lag(p_max_replica_lag_ms);
    replica_lag := coalesce(round((v_lag_ms / 1000)::numeric, 1) || ' s', 'none');
  else
    replica_lag := 'unavailable';
  end if;

  select count(*) into v_waiters
  from pg_catalog.pg_locks
  where not granted
    and relation in (to_regclass('public.members'), to_regclass('public.trainer_client_assignments'))
    and database = (select oid from pg_catalog.pg_database where datname = current_database());
  lock_waiters := v_waiters::text;

  throttle_because := case
    when v_lag_ms > p_max_replica_lag_ms
    then format('replica lag %s > %s s (%s)', replica_lag, round(p_max_replica_lag_ms / 1000.0, 1)::float8, v_standby)
    when v_waiters > 0
    then v_waiters || case v_waiters when 1 then ' session waits for a lock' else ' sessions wait for locks' end
      || ' on members or assignments'
  end;
end;
$$;

revoke execute on function assignment.find_backfill_pressure(integer) from public;
comment on function assignment.find_backfill_pressure(integer) is
  'Why backfills should wait now (null: they need not), and the measurements: a value, none, or unavailable (no permission).';

-- migrate:down
drop function if exists assignment.find_backfill_pressure(integer);
