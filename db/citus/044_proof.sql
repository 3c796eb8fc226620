-- The proof at the end of a run, place by place.

create function assignment.sweep_shard(p_argument jsonb)
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_began timestamptz := clock_timestamp();
  v_run assignment.backfill_runs := jsonb_populate_record(null::assignment.backfill_runs, p_argument -> 'run');
  v_lane assignment.backfill_lanes;
  v_ids uuid[];
  v_missed bigint;
  v_result assignment.batch_result;
begin
  if not (p_argument -> 'assigns')::boolean then
    select count(*) into v_missed from assignment.find_stragglers(v_run);
    return v_missed;
  end if;
  select * into v_lane from assignment.backfill_lanes l where l.run_id = v_run.id order by l.lane limit 1 for update;
  v_ids := array(select s.id from assignment.find_stragglers(v_run) as s (id) order by s.id limit 10000);
  v_missed := cardinality(v_ids);
  if v_missed > 0 then
    v_result := assignment.run_batch(v_run, v_ids);
    perform assignment.record_backfill_errors(v_run.id, v_result.failures);
    perform assignment.record_batch(
      v_lane, null, v_missed::integer, extract(epoch from clock_timestamp() - v_began) * 1000, v_result
    );
  end if;
  return v_missed;
end;
$$;

comment on function assignment.sweep_shard(jsonb) is
  'Counts the members of this place whom a run missed, and assigns up to 10,000 of them if asked to.';

create or replace function assignment.finish_backfill(p_run_id uuid, out work text, out members integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_counts record;
  v_remaining bigint;
begin
  members := 0;
  if not pg_try_advisory_xact_lock(hashtextextended('trainer assignment: end of run ' || p_run_id, 0)) then
    work := 'busy';
    return;
  end if;
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if v_run.status <> 'running' then
    work := 'stopped';
    return;
  end if;

  -- A shard that was split off since the start has no lane yet.
  insert into assignment.backfill_lanes (run_id, lane, place, next_id, upper_id, done)
  select p_run_id, bounds.lane + row_number() over (), place, '00000000-0000-0000-0000-000000000000', bounds.upper_id, true
  from assignment.find_places() as place
  cross join (
    select max(l.lane) as lane, max(l.upper_id::text)::uuid as upper_id from assignment.backfill_lanes l where l.run_id = p_run_id
  ) as bounds
  where bounds.upper_id is not null
    and get_shard_id_for_distribution_column('public.members'::regclass, place) <> all (array(
      select get_shard_id_for_distribution_column('public.members'::regclass, l.place)
      from (select l.place from assignment.backfill_lanes l where l.run_id = p_run_id) as l
    ));

  v_remaining := assignment.sweep_shards(v_run, false);
  if v_remaining > 0 and v_run.sweeps < 5 and not v_run.dry_run then
    members := assignment.sweep_shards(v_run, true);
    update assignment.backfill_runs set sweeps = sweeps + 1 where id = p_run_id;
    work := 'swept';
    return;
  end if;

  perform from assignment.backfill_runs r where r.id = p_run_id and r.status = 'running' for no key update;
  if not found then  -- paused or cancelled meanwhile
    work := 'stopped';
    return;
  end if;
  select p.processed, p.successful, p.failed, p.already_assigned
  into v_counts
  from assignment.backfill_progress p
  where p.id = p_run_id;
  if v_run.dry_run then  -- whom a real run would assign, or take from the trainer, does not count as remaining
    v_remaining := greatest(
      0, v_remaining - v_counts.successful - case v_run.kind when 'transfer' then v_counts.already_assigned else 0 end
    );
  end if;
  update assignment.backfill_runs
  set status = case when v_remaining = 0 and v_counts.failed = 0 then 'succeeded' else 'completed_with_errors' end,
    status_changed_by = 'service',
    status_reason = null,
    status_request_id = null,
    started_at = coalesce(started_at, now()),
    finished_at = clock_timestamp(),
    total = v_counts.processed,
    total_is_estimate = false,
    remaining = v_remaining,
    throttled_because = null,
    tries = 0
  where id = p_run_id;
  work := 'finished';
end;
$$;

create function assignment.sweep_shards(p_run assignment.backfill_runs, p_assigns boolean)
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_argument jsonb := jsonb_build_object('run', to_jsonb(p_run), 'assigns', p_assigns);
  v_part record;
  v_missed bigint := 0;
begin
  for v_part in
    select l.place, case when not p_assigns then assignment.on_shard(l.tableoid, 'sweep_shard', v_argument) end as missed
    from assignment.backfill_lanes l
    where l.run_id = p_run.id
    order by l.place
  loop
    if p_assigns or jsonb_typeof(v_part.missed) = 'object' then  -- which asks for what is in other places
      v_part.missed := assignment.ask_shard('assignment.backfill_lanes', v_part.place, 'sweep_shard', v_argument, p_assigns);
    end if;
    v_missed := v_missed + (v_part.missed #>> '{}')::bigint;
  end loop;
  return v_missed;
end;
$$;
