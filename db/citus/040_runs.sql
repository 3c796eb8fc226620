-- A run on shards. The run itself is on the coordinator; each step takes place on the node of its lane, with rows, counters
-- and cursor in one transaction there.

create function assignment.find_places()
  returns setof uuid
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_shards bigint;
begin
  select count(*) into v_shards from pg_dist_shard where logicalrelid = 'public.members'::regclass;
  return query
  select distinct on (drawn.shard) drawn.id
  from (
    select u.id, get_shard_id_for_distribution_column('public.members'::regclass, u.id) as shard
    from (select gen_random_uuid() as id from generate_series(1, 100 * v_shards)) as u
  ) as drawn
  order by drawn.shard;
end;
$$;

comment on function assignment.find_places() is
  'A uuid for each shard of members. That one of n shards is not drawn in 100 n draws is out of the question: e to the power
of -100.';

create function assignment.lay_out(p_run assignment.backfill_runs, p_upper_id uuid, p_total bigint)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_places uuid[];
begin
  update assignment.backfill_runs set total = p_total where id = p_run.id;
  if p_run.policy_version is not null then
    insert into assignment.runs_by_policy (run_id) values (p_run.id);
  end if;
  if p_total > 0 then
    insert into assignment.backfill_places (run_id, lane, place)
    select p_run.id, row_number() over (), place from assignment.find_places() as place;
    v_places := array(select p.place from assignment.backfill_places p where p.run_id = p_run.id order by p.lane);
    insert into assignment.backfill_lanes (run_id, lane, place, next_id, upper_id, includes_upper)
    select p_run.id, p.lane, p.place, '00000000-0000-0000-0000-000000000000', p_upper_id, true
    from unnest(v_places) with ordinality as p (place, lane);
  end if;
end;
$$;

create or replace function assignment.lay_out_backfill(p_run assignment.backfill_runs, p_in_one_lane boolean)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_upper_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_total bigint;
begin
  if p_run.only_failed then
    select count(*) into v_total from assignment.backfill_errors e where e.run_id = p_run.retry_of;
  else
    select m.id into v_upper_id from public.members m order by m.id desc limit 1;
    select count(*) into v_total from public.members m where m.id <= v_upper_id;
  end if;
  perform assignment.lay_out(p_run, v_upper_id, v_total);
end;
$$;

create or replace function assignment.lay_out_transfer(p_run assignment.backfill_runs)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_upper_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_total bigint;
begin
  if p_run.only_failed then
    select count(*) into v_total from assignment.backfill_errors e where e.run_id = p_run.retry_of;
  elsif p_run.only_selected then
    select count(*) into v_total from assignment.backfill_selected s where s.run_id = p_run.id;
  else
    select count(*), (max(a.id::text) collate "C")::uuid into v_total, v_upper_id
    from public.trainer_client_assignments a
    where a.trainer_id = p_run.from_trainer_id
      and a.status = 'active';
  end if;
  perform assignment.lay_out(p_run, v_upper_id, v_total);
end;
$$;

create or replace function assignment.is_ended_by_policy(p_ended_run_id uuid)
  returns boolean
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return exists (select from assignment.runs_by_policy r where r.run_id = p_ended_run_id);
end;
$$;

create or replace function assignment.record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  insert into assignment.backfill_errors (run_id, member_id, sqlstate, message)
  select p_run_id, f.member_id, f.sqlstate, f.message
  from unnest(p_failures) as f
  order by f.member_id
  limit 10000 - (select count(*) from assignment.backfill_errors where run_id = p_run_id)
  on conflict (run_id, member_id) do update set sqlstate = excluded.sqlstate, message = excluded.message;
end;
$$;

comment on function assignment.record_backfill_errors(uuid, assignment.member_failure[]) is
  'Adds failed members to backfill_errors, up to 10,000 for each run and shard.';

create or replace function assignment.record_batch(
  p_lane assignment.backfill_lanes,
  p_next_id uuid,
  p_rows integer,
  p_elapsed_ms double precision,
  p_result assignment.batch_result
)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_row_us real[] := p_lane.recent_row_us;
begin
  if p_rows > 0 then
    v_row_us := (v_row_us || (p_elapsed_ms * 1000 / p_rows)::real);
    v_row_us := v_row_us[greatest(1, cardinality(v_row_us) - 19):];

    insert into assignment.backfill_samples as s (run_id, lane, place, at, processed)
    values (p_lane.run_id, p_lane.lane, p_lane.place, date_trunc('second', clock_timestamp()), p_rows)
    on conflict (run_id, at, lane, place) do update set processed = s.processed + excluded.processed;
  end if;

  update assignment.backfill_lanes l
  set next_id = coalesce(p_next_id, l.upper_id),
    done = p_next_id is null,
    batch_rows = case
      when p_next_id is null then l.batch_rows
      else assignment.next_batch_rows(l.batch_rows, v_row_us, p_elapsed_ms)
    end,
    recent_row_us = v_row_us,
    successful = l.successful + p_result.successful,
    already_assigned = l.already_assigned + p_result.already_assigned,
    ended = l.ended + p_result.ended,
    is_trainer = l.is_trainer + p_result.is_trainer,
    member_gone = l.member_gone + p_result.member_gone,
    excluded = l.excluded + p_result.excluded,
    not_selected = l.not_selected + p_result.not_selected,
    failed = l.failed + cardinality(p_result.failures)
  where l.run_id = p_lane.run_id
    and l.lane = p_lane.lane
    and l.place = p_lane.place;

  insert into assignment.backfill_choices as b (run_id, lane, place, rule, trainer_id, members)
  select p_lane.run_id, p_lane.lane, p_lane.place, c.rule, c.trainer_id, c.members
  from unnest(p_result.choices) as c
  on conflict (run_id, lane, rule, trainer_id, place) do update set members = b.members + excluded.members;
end;
$$;

create function assignment.step_shard(p_run jsonb, out work text, out lane smallint, out members integer, out is_done boolean)
  volatile
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_began timestamptz := clock_timestamp();
  v_run assignment.backfill_runs := jsonb_populate_record(null::assignment.backfill_runs, p_run);
  v_lane assignment.backfill_lanes;
  v_next record;
  v_result assignment.batch_result;
begin
  -- The coordinator lets one step at a time come here.
  select * into v_lane
  from assignment.backfill_lanes l
  where l.run_id = v_run.id
    and not l.done
  order by l.lane
  limit 1
  for update;
  lane := v_lane.lane;
  members := 0;
  work := 'batch';
  is_done := true;
  if v_lane is null then
    return;
  end if;
  select * into v_next from assignment.next_members(v_run, v_lane, coalesce(v_run.batch_rows, v_lane.batch_rows));
  members := cardinality(v_next.member_ids);
  is_done := v_next.next_id is null;
  v_result := assignment.run_batch(v_run, v_next.member_ids);
  perform assignment.record_backfill_errors(v_run.id, v_result.failures);
  perform assignment.record_batch(
    v_lane, v_next.next_id, members, extract(epoch from clock_timestamp() - v_began) * 1000, v_result
  );
end;
$$;

comment on function assignment.step_shard(jsonb) is
  'Does one step of the lane in this place: as backfill_step on one server, but for the run itself.';

create or replace function assignment.backfill_step(p_run_id uuid, out work text, out lane smallint, out members integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_open record;
  v_argument jsonb;
  v_done jsonb;
begin
  members := 0;
  -- Read with this lock: once a run is paused and await_lanes has returned, no further batch begins.
  perform pg_advisory_xact_lock_shared(hashtextextended('trainer assignment: steps of run ' || p_run_id, 0));
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.dry_run then
    raise exception 'run % is a dry run: use preview_step and record_preview', p_run_id using errcode = 'TA006';
  elsif v_run.status <> 'running' then
    work := 'stopped';
    return;
  end if;
  if v_run.started_at is null or v_run.tries > 0 then
    perform assignment.note_backfill_progress(p_run_id);
  end if;

  v_argument := to_jsonb(v_run);
  work := 'finish';
  for v_open in
    select p.lane, p.place from assignment.backfill_places p where p.run_id = p_run_id and p.is_open order by p.lane
  loop
    work := 'busy';
    continue when not pg_try_advisory_xact_lock(hashtextextended('trainer assignment: lane in ' || v_open.place, 0));
    perform assignment.begin_change(v_open.place);
    select assignment.on_shard(l.tableoid, 'step_shard', v_argument) into v_done
    from assignment.backfill_lanes l
    where l.run_id = p_run_id
      and l.place = v_open.place;
    if (v_done ->> 'is_done')::boolean then
      update assignment.backfill_places p set is_open = false where p.run_id = p_run_id and p.lane = v_open.lane;
    end if;
    work := 'batch';
    lane := v_open.lane;
    members := (v_done ->> 'members')::integer;
    return;
  end loop;
  if work = 'finish' then
    select f.work, f.members into backfill_step.work, backfill_step.members from assignment.finish_backfill(p_run_id) as f;
  end if;
end;
$$;

create or replace function assignment.await_lanes(p_run_id uuid)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '10s'
  language plpgsql
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('trainer assignment: steps of run ' || p_run_id, 0));
end;
$$;

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
  v_missed bigint;
begin
  perform assignment.begin_change(null);
  select coalesce(sum((s.missed #>> '{}')::bigint), 0) into v_missed
  from (
    select assignment.on_shard(l.tableoid, 'sweep_shard', v_argument) as missed
    from assignment.backfill_lanes l
    where l.run_id = p_run.id
  ) as s;
  return v_missed;
end;
$$;

-- What a run has done, by a function each, for a view of the coordinator's runs cannot look into the shards.
create function assignment.count_lanes(p_run_id uuid)
  returns table (
    successful bigint, skipped bigint, failed bigint, already_assigned bigint, ended bigint, is_trainer bigint,
    member_gone bigint, excluded bigint, not_selected bigint
  )
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query
  select
    coalesce(sum(l.successful), 0)::bigint,
    coalesce(sum(l.already_assigned + l.ended + l.is_trainer + l.member_gone + l.excluded + l.not_selected), 0)::bigint,
    coalesce(sum(l.failed), 0)::bigint,
    coalesce(sum(l.already_assigned), 0)::bigint,
    coalesce(sum(l.ended), 0)::bigint,
    coalesce(sum(l.is_trainer), 0)::bigint,
    coalesce(sum(l.member_gone), 0)::bigint,
    coalesce(sum(l.excluded), 0)::bigint,
    coalesce(sum(l.not_selected), 0)::bigint
  from assignment.backfill_lanes l
  where l.run_id = p_run_id;
end;
$$;

create function assignment.list_choices(p_run_id uuid)
  returns table (rule smallint, trainer_id uuid, members bigint)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query
  select b.rule, b.trainer_id, sum(b.members)::bigint
  from assignment.backfill_choices b
  where b.run_id = p_run_id
  group by b.rule, b.trainer_id;
end;
$$;

create function assignment.list_rule_names(p_version integer)
  returns table (rule smallint, name text)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query select p.rule, p.name from assignment.policy_rules p where p.version = p_version;
end;
$$;

create function assignment.list_samples(p_run_id uuid)
  returns table (at timestamptz, processed bigint)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query
  select s.at, sum(s.processed)::bigint from assignment.backfill_samples s where s.run_id = p_run_id group by s.at;
end;
$$;

create or replace view assignment.backfill_progress as
select
  r.id,
  r.kind,
  r.from_trainer_id,
  r.trainer_id,
  r.policy_version,
  r.status,
  r.dry_run,
  r.reassigns as reassign,
  r.condition,
  r.only_selected,
  r.notes,
  r.batch_rows,
  r.retry_of,
  r.requested_by,
  r.requested_at,
  r.started_at,
  r.finished_at,
  greatest(r.total, l.successful + l.skipped + l.failed) as total,
  r.total_is_estimate,
  l.successful + l.skipped + l.failed as processed,
  l.successful,
  l.skipped,
  l.failed,
  l.already_assigned,
  l.ended,
  l.is_trainer,
  l.member_gone,
  l.excluded,
  l.not_selected,
  (
    select coalesce(jsonb_agg(to_jsonb(c) order by c.rule, c.trainer_id), '[]')
    from (
      select nullif(b.rule, 0) as rule, p.name as rule_name, b.trainer_id, b.members
      from assignment.list_choices(r.id) b
      left join assignment.list_rule_names(r.policy_version) p on p.rule = b.rule
      order by b.members desc, b.rule, b.trainer_id
      limit 1000  -- a rule that chooses a field can name any number of trainers
    ) as c
  ) as choices,
  r.remaining,
  case when r.status = 'paused' then r.status_reason end as pause_reason,
  case when r.status = 'running' then r.throttled_because end as throttled_because,
  r.replica_lag,
  r.lock_waiters,
  s.rate_per_second,
  case
    when r.status = 'running' and r.throttled_because is null and s.rate_per_second > 0
    then greatest(0, ceil((r.total - l.successful - l.skipped - l.failed) / s.rate_per_second))::bigint
  end as eta_seconds
from assignment.backfill_runs r
cross join lateral assignment.count_lanes(r.id) as l
cross join lateral (
  -- While running: the rate since the run started or resumed, at most of the last 60 s. Null in the first 3 s.
  -- Once ended: the average over the seconds in which it processed members.
  select case
    when r.status = 'running' and extract(epoch from clock_timestamp() - span.since) >= 3
    then (select coalesce(sum(s.processed), 0) from assignment.list_samples(r.id) s where s.at >= span.since)
      / extract(epoch from clock_timestamp() - span.since)::float8
    when r.status in ('cancelled', 'succeeded', 'completed_with_errors')
    then (
      select sum(processed) / count(distinct at)::float8
      from assignment.list_samples(r.id)
    )
  end as rate_per_second
  from (
    select date_trunc('second', greatest(
      clock_timestamp() - interval '60 seconds',
      (select max(at) from assignment.backfill_events where run_id = r.id and to_status = 'running')
    )) as since
  ) as span
) as s;

-- A dry run: what a step would do is found in a transaction that can only read, and recorded in another.
create function assignment.preview_shard(p_argument jsonb)
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_began timestamptz := clock_timestamp();
  v_run assignment.backfill_runs := jsonb_populate_record(null::assignment.backfill_runs, p_argument);
  v_lane assignment.backfill_lanes;
  v_next record;
  v_result assignment.batch_result;
begin
  select * into v_lane from assignment.backfill_lanes l where l.run_id = v_run.id and not l.done order by l.lane limit 1;
  select * into v_next from assignment.next_members(v_run, v_lane, coalesce(v_run.batch_rows, v_lane.batch_rows));
  v_result := case
    when v_run.trainer_id is null or v_run.kind = 'transfer' then assignment.preview_batch(v_run, v_next.member_ids)
    else assignment.preview_assign_to_trainer(v_next.member_ids, v_run.trainer_id, 0)
  end;
  return jsonb_build_object(
    'lane', v_lane.lane,
    'place', v_lane.place,
    'from_id', v_lane.next_id,
    'next_id', v_next.next_id,
    'members', cardinality(v_next.member_ids),
    'elapsed_ms', extract(epoch from clock_timestamp() - v_began) * 1000,
    'result', to_jsonb(v_result)
  );
end;
$$;

create or replace function assignment.preview_step(p_run_id uuid)
  returns jsonb
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_places uuid[];
  v_place uuid;
  v_argument jsonb;
  v_preview jsonb;
begin
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.status <> 'running' then
    return null;
  end if;
  v_places := array(select p.place from assignment.backfill_places p where p.run_id = p_run_id and p.is_open);
  if v_places = '{}' then
    return null;
  end if;
  v_place := v_places[1 + floor(random() * cardinality(v_places))];
  v_argument := to_jsonb(v_run);
  select assignment.on_shard(l.tableoid, 'preview_shard', v_argument) into v_preview
  from assignment.backfill_lanes l
  where l.run_id = p_run_id
    and l.place = v_place;
  return v_preview;
end;
$$;

create function assignment.record_shard(p_argument jsonb, out work text, out members integer, out is_done boolean)
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_preview jsonb := p_argument -> 'preview';
  v_lane assignment.backfill_lanes;
  v_result assignment.batch_result := jsonb_populate_record(null::assignment.batch_result, v_preview -> 'result');
begin
  members := 0;
  is_done := false;
  select * into v_lane
  from assignment.backfill_lanes l
  where l.run_id = (p_argument ->> 'runId')::uuid
    and l.place = (v_preview ->> 'place')::uuid
    and l.lane = (v_preview ->> 'lane')::smallint
  for update;
  if v_lane.done or v_lane.next_id <> (v_preview ->> 'from_id')::uuid then
    work := 'busy';
    return;
  end if;
  members := (v_preview ->> 'members')::integer;
  perform assignment.record_backfill_errors(v_lane.run_id, v_result.failures);
  perform assignment.record_batch(
    v_lane, (v_preview ->> 'next_id')::uuid, members, (v_preview ->> 'elapsed_ms')::double precision, v_result
  );
  is_done := v_preview ->> 'next_id' is null;
  work := 'batch';
end;
$$;

create or replace function assignment.record_preview(p_run_id uuid, p_preview jsonb, out work text, out members integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_place uuid := (p_preview ->> 'place')::uuid;
  v_argument jsonb := jsonb_build_object('runId', p_run_id, 'preview', p_preview);
  v_done jsonb;
begin
  members := 0;
  if p_preview is null then
    select f.work, f.members into record_preview.work, record_preview.members from assignment.finish_backfill(p_run_id) as f;
    return;
  end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('trainer assignment: steps of run ' || p_run_id, 0));
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if v_run.status is distinct from 'running' then
    work := 'stopped';
    return;
  end if;
  if v_run.started_at is null or v_run.tries > 0 then
    perform assignment.note_backfill_progress(p_run_id);
  end if;
  perform assignment.begin_change(v_place);
  select assignment.on_shard(l.tableoid, 'record_shard', v_argument) into v_done
  from assignment.backfill_lanes l
  where l.run_id = p_run_id
    and l.place = v_place;
  if (v_done ->> 'is_done')::boolean then
    update assignment.backfill_places p set is_open = false where p.run_id = p_run_id and p.place = v_place;
  end if;
  work := v_done ->> 'work';
  members := (v_done ->> 'members')::integer;
end;
$$;

create or replace function assignment.record_step_failure(
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
  returning r.tries into record_step_failure.tries;
  if not found then
    tries := 0;
    return;
  end if;
  if p_sqlstate in ('55P03', '57014') then
    update assignment.backfill_lanes l
    set batch_rows = greatest(100, l.batch_rows / 2)
    where l.run_id = p_run_id
      and not l.done;
  end if;
  -- Lack of resources, or a node that is away, is no fault of the run.
  if tries >= p_max_tries and p_sqlstate !~ '^(08|53|57P)' then
    perform assignment.change_backfill_status(
      p_run_id,
      'paused',
      'service',
      format('%s tries failed in a row: %s (%s)', tries, left(p_message, 1000), p_sqlstate)
    );
    paused := true;
  end if;
end;
$$;
