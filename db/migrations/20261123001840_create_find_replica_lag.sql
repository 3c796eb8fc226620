-- Finds the standby with the greatest lag, among those that have not replayed the whole log.
-- The lag is what the standby last reported. While a reply is due, it is the time since the last reply. That time is by
-- the standby's clock, and the reply may have become due only now, so the function first waits a moment for it.
-- Programs that never replay (pg_receivewal, pg_basebackup) and logical replication do not count.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_replica_lag(
  p_max_lag_ms integer,
  out lag_ms double precision,
  out standby text
)
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_patience_ends timestamptz := clock_timestamp() + interval '500 milliseconds';
  v_first_replies jsonb := (select jsonb_object_agg(pid, reply_time) from pg_catalog.pg_stat_replication);
  v_is_silent boolean;
begin
  loop
    select
      lag.ms,
      format(
        '%s at %s%s, %s behind',
        coalesce(nullif(r.application_name, ''), 'a standby'),
        coalesce(host(r.client_addr), 'a local socket'),
        case when lag.is_silence then ' does not answer' else '' end,
        pg_size_pretty(pg_wal_lsn_diff(primary_log.written, r.replay_lsn))
      ),
      lag.is_silence
    into lag_ms, standby, v_is_silent
    from pg_catalog.pg_stat_replication r
    cross join (select pg_catalog.pg_current_wal_flush_lsn() as written) as primary_log
    cross join lateral (
      select extract(epoch from r.replay_lag) * 1000 as ms, false as is_silence
      union all
      select extract(epoch from clock_timestamp() - r.reply_time) * 1000, true
      where r.write_lsn < primary_log.written
        and r.reply_time = (v_first_replies ->> r.pid::text)::timestamptz
    ) as lag
    where r.replay_lsn < primary_log.written
      and lag.ms > 0
      and not exists (
        select from pg_catalog.pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical'
      )
    order by lag.ms desc, r.pid
    limit 1;
    exit when v_is_silent is not true or lag_ms <= p_max_lag_ms or clock_timestamp() >= v_patience_ends;
    perform pg_sleep(0.02);
  end loop;
end;
$$;

revoke execute on function assignment.find_replica_lag(integer) from public;
comment on function assignment.find_replica_lag(integer) is
  'The greatest lag of a standby in milliseconds, and a description of that standby. Null when none lags.
Waits up to half a second for a standby that has been silent for longer than p_max_lag_ms. Needs pg_read_all_stats.';

-- migrate:down
drop function if exists assignment.find_replica_lag(integer);
