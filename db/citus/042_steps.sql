-- A step of a run: on the node of its lane, by what differs there.

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

create or replace function assignment.record_sample(p_lane assignment.backfill_lanes, p_rows integer)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  insert into assignment.backfill_samples as s (run_id, lane, place, at, processed)
  values (p_lane.run_id, p_lane.lane, p_lane.place, date_trunc('second', clock_timestamp()), p_rows)
  on conflict (run_id, at, lane, place) do update set processed = s.processed + excluded.processed;
end;
$$;

create or replace function assignment.record_choices(p_lane assignment.backfill_lanes, p_choices assignment.choice_count[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  insert into assignment.backfill_choices as b (run_id, lane, place, rule, trainer_id, members)
  select p_lane.run_id, p_lane.lane, p_lane.place, c.rule, c.trainer_id, c.members
  from unnest(p_choices) as c
  on conflict (run_id, lane, rule, trainer_id, place) do update set members = b.members + excluded.members;
end;
$$;

create function assignment.step_shard(p_run jsonb, out members integer, out is_done boolean)
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
  members := 0;
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
    continue when not pg_try_advisory_xact_lock(
      hashtextextended(format('trainer assignment: lane of run %s in %s', p_run_id, v_open.place), 0)
    );
    v_done := assignment.ask_shard('assignment.backfill_lanes', v_open.place, 'step_shard', v_argument, true);
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

create or replace function assignment.halve_batches(p_run_id uuid)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  update assignment.backfill_lanes l
  set batch_rows = greatest(100, l.batch_rows / 2)
  where l.run_id = p_run_id
    and not l.done;
end;
$$;
