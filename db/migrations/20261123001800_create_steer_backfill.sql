-- Pausing, resuming and cancelling runs, and what a driver has to say of them: trouble, throttling, pressure.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.steer_backfill(
  p_run_id uuid,
  p_to text,
  p_actor text,
  p_reason text default null,
  p_traceparent text default null
)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '10s'
  language plpgsql
as $$
declare
  v_from text;
begin
  select status into v_from from assignment.backfill_runs where id = p_run_id for no key update;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_from not in ('running', 'paused') or p_to not in ('running', 'paused', 'cancelled') or v_from = p_to then
    -- said here, for beside an active run the unique index would refuse an ended one first, in words of its own
    raise exception 'a backfill run that is % cannot become %', v_from, p_to using errcode = 'TA006';
  end if;

  update assignment.backfill_runs
  set status = p_to,
    status_changed_by = p_actor,
    status_reason = p_reason,
    finished_at = case when p_to = 'cancelled' then clock_timestamp() end,
    throttled_because = null,
    tries = 0,
    resume_traceparent = case p_to when 'running' then p_traceparent else resume_traceparent end
  where id = p_run_id;
end;
$$;

-- In a statement after steer_backfill, for the steps must see its commit.
create function assignment.await_lanes(p_run_id uuid)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '10s'
  language plpgsql
as $$
begin
  perform from assignment.backfill_lanes where run_id = p_run_id order by lane for share;
end;
$$;

-- Whoever steps in several lanes says by p_own_tries how often in a row this lane of theirs has failed: a connection that
-- breaks fails all lanes of all replicas at once, and that is one try of the run, not as many as there are lanes.
create function assignment.note_backfill_trouble(
  p_run_id uuid,
  p_sqlstate text,
  p_message text,
  p_max_tries integer default 10,
  p_own_tries integer default null,
  out tries integer,
  out paused boolean
)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '10s'
  language plpgsql
as $$
begin
  paused := false;
  update assignment.backfill_runs r
  set tries = least(r.tries + 1, p_own_tries)
  where r.id = p_run_id
    and r.status = 'running'
  returning r.tries into note_backfill_trouble.tries;
  if not found then
    tries := 0;
    return;
  end if;

  if p_sqlstate in ('55P03', '57014') then
    update assignment.backfill_lanes l
    set batch_rows = greatest(100, l.batch_rows / 2)
    from (
      select lane from assignment.backfill_lanes where run_id = p_run_id and not done order by lane for update skip locked
    ) as free
    where l.run_id = p_run_id
      and l.lane = free.lane;
  end if;

  -- A database out of disk, memory or connections says nothing of the run; when it has some again, nobody need resume it.
  if tries >= p_max_tries and left(p_sqlstate, 2) <> '53' then
    perform assignment.steer_backfill(
      p_run_id,
      'paused',
      'service',
      format('%s tries failed in a row: %s (%s)', tries, left(p_message, 1000), p_sqlstate)
    );
    paused := true;
  end if;
end;
$$;

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

-- Of the standbys that have not replayed all of the log, the one that is furthest behind in time. As old as its last reply
-- says; where a standby owes a reply, since that reply. It is given a moment first: it may owe it only since just now, and
-- the reply's time is by its own clock. Left out is who never applies (pg_receivewal, pg_basebackup), and logical replication.
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

revoke execute on function assignment.steer_backfill(uuid, text, text, text, text) from public;
revoke execute on function assignment.await_lanes(uuid) from public;
revoke execute on function assignment.note_backfill_trouble(uuid, text, text, integer, integer) from public;
revoke execute on function assignment.throttle_backfill(uuid, text, text, text) from public;
revoke execute on function assignment.find_replica_lag(integer) from public;
revoke execute on function assignment.find_backfill_pressure(integer) from public;
comment on function assignment.steer_backfill(uuid, text, text, text, text) is
  'Makes a run running, paused or cancelled. Raises TA006 where its status does not allow it, TA007 when there is none.';
comment on function assignment.await_lanes(uuid) is 'Returns once no step holds a lane of the run: its counters are at rest.';
comment on function assignment.note_backfill_trouble(uuid, text, text, integer, integer) is
  'Counts a step that failed as a whole; halves the batches after a time-out; pauses the run after p_max_tries in a row,
but for want of resources (class 53).';
comment on function assignment.throttle_backfill(uuid, text, text, text) is
  'Records why a run waits, or null that it does not, and what the probes saw.';
comment on function assignment.find_replica_lag(integer) is
  'How many milliseconds the standby that is furthest behind lags, and which it is; null when none does. Waits up to half
a second for the reply of one that looks silent for longer than p_max_lag_ms. Needs pg_read_all_stats.';
comment on function assignment.find_backfill_pressure(integer) is
  'Why a backfill should wait now, or null; and what each probe saw: a figure, none, or unavailable without the permission.';

-- migrate:down
drop function if exists assignment.find_backfill_pressure(integer);
drop function if exists assignment.find_replica_lag(integer);
drop function if exists assignment.throttle_backfill(uuid, text, text, text);
drop function if exists assignment.note_backfill_trouble(uuid, text, text, integer, integer);
drop function if exists assignment.await_lanes(uuid);
drop function if exists assignment.steer_backfill(uuid, text, text, text, text);
