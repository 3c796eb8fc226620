-- A step of a run: one batch, as one autocommit statement. Whoever calls it, however often and from wherever at once:
-- rows, counters and cursor commit together or not at all.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.next_batch_rows(p_rows integer, p_row_us real[], p_last_ms double precision)
  returns integer
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select greatest(100, least(20000, case
    when p_last_ms >= 5 * 250 then p_rows * 250 / p_last_ms
    else least(p_rows * 1.5, 250000 / greatest(
      0.1,
      (select percentile_disc(0.9) within group (order by us) from unnest(p_row_us) as recent (us))
    ))
  end))::integer
$$;

comment on function assignment.next_batch_rows(integer, real[], double precision) is
  'The size of the next batch: aims at 250 ms by the 90th percentile of the recent microseconds a row; grows at most 1.5×,
shrinks at once when the last batch took five times the aim; 100 to 20,000 rows.';

-- The ids of a lane's next batch, and one more: the next cursor, when there is one.
create function assignment.next_members(p_lane assignment.backfill_lanes, p_failed_in uuid, p_limit integer)
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  -- The statistics may be from before the table grew: thought small, all that is left of the lane would be sorted each time.
  set enable_sort = off
  set enable_bitmapscan = off
  set enable_seqscan = off
  set jit = off  -- before PostgreSQL 18 what is off counts as cost, and each short look-up would be compiled
  language plpgsql
as $$
begin
  perform assignment.require_visible_rows();
  if p_failed_in is null then
    return array(
      select m.id
      from public.members m
      where m.id >= p_lane.next_id
        and m.id <= p_lane.upper_id
        and (p_lane.includes_upper or m.id <> p_lane.upper_id)
      order by m.id
      limit p_limit + 1
    );
  end if;
  return array(
    select e.member_id
    from assignment.backfill_errors e
    where e.run_id = p_failed_in
      and e.member_id >= p_lane.next_id
    order by e.member_id
    limit p_limit + 1
  );
end;
$$;

comment on function assignment.next_members(assignment.backfill_lanes, uuid, integer) is
  'Ids of the lane''s next batch in key order and the id that follows them; of all members, or of those that failed in a run.';

-- Adds what became of a batch to its lane, moves the cursor, and takes the time.
create function assignment.record_batch(
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

    insert into assignment.backfill_samples (run_id, lane, at, processed)
    values (p_lane.run_id, p_lane.lane, date_trunc('second', clock_timestamp()), p_rows)
    on conflict (run_id, at, lane) do update set processed = backfill_samples.processed + excluded.processed;
  end if;

  update assignment.backfill_lanes
  set next_id = coalesce(p_next_id, next_id),
    done = p_next_id is null,
    batch_rows = case
      when p_next_id is null then batch_rows
      else assignment.next_batch_rows(batch_rows, v_row_us, p_elapsed_ms)
    end,
    recent_row_us = v_row_us,
    successful = successful + p_result.successful,
    already_assigned = already_assigned + p_result.already_assigned,
    ended = ended + p_result.ended,
    is_trainer = is_trainer + p_result.is_trainer,
    member_gone = member_gone + p_result.member_gone,
    failed = failed + cardinality(p_result.failures)
  where run_id = p_lane.run_id
    and lane = p_lane.lane;
end;
$$;

-- Keeps the first 10,000 errors of a run; the count in the lane stays exact.
create function assignment.record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if cardinality(p_failures) = 0 then
    return;
  end if;
  perform from assignment.backfill_runs where id = p_run_id for no key update;  -- one lane counts at a time
  insert into assignment.backfill_errors (run_id, member_id, sqlstate, message)
  select p_run_id, f.member_id, f.sqlstate, f.message
  from unnest(p_failures) as f
  order by f.member_id
  limit 10000 - (select count(*) from assignment.backfill_errors where run_id = p_run_id)
  on conflict (run_id, member_id) do update set sqlstate = excluded.sqlstate, message = excluded.message;
end;
$$;

-- Skips a locked run: another step is noting the same, and a lane must not wait for a lane.
create function assignment.note_backfill_progress(p_run_id uuid)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  update assignment.backfill_runs
  set started_at = coalesce(started_at, clock_timestamp()), tries = 0
  where id = (select id from assignment.backfill_runs where id = p_run_id for no key update skip locked)
$$;

create function assignment.backfill_step(p_run_id uuid, out work text, out lane smallint, out members integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_began timestamptz := clock_timestamp();
  v_lane assignment.backfill_lanes;
  v_run assignment.backfill_runs;
  v_rows integer;
  v_ids uuid[];
  v_next_id uuid;
  v_result assignment.batch_result;
begin
  members := 0;
  select * into v_lane
  from assignment.backfill_lanes l
  where l.run_id = p_run_id
    and not l.done
  order by l.lane
  limit 1
  for update skip locked;
  lane := v_lane.lane;

  -- Read after the lane is locked: whoever pauses the run and then waits for its lanes knows that no batch follows.
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.dry_run then
    raise exception 'run % is a dry run: it is stepped by preview_step and record_preview', p_run_id using errcode = 'TA006';
  elsif v_run.status <> 'running' then
    work := 'stopped';
    return;
  elsif v_lane is null then
    if exists (select from assignment.backfill_lanes l where l.run_id = p_run_id and not l.done) then
      work := 'busy';
    else
      select * into work, members from assignment.finish_backfill(p_run_id);
    end if;
    return;
  end if;

  if v_run.started_at is null or v_run.tries > 0 then
    perform assignment.note_backfill_progress(p_run_id);
  end if;

  v_rows := coalesce(v_run.batch_rows, v_lane.batch_rows);
  v_ids := assignment.next_members(v_lane, case when v_run.only_failed then v_run.retry_of end, v_rows);
  v_next_id := v_ids[v_rows + 1];
  v_ids := v_ids[:v_rows];
  members := cardinality(v_ids);

  select * into v_result
  from assignment.assign_members(v_ids, v_run.trainer_id, 'backfill', p_run_id => p_run_id, p_keep_ended => true);
  perform assignment.record_backfill_errors(p_run_id, v_result.failures);
  perform assignment.record_batch(
    v_lane, v_next_id, members, extract(epoch from clock_timestamp() - v_began) * 1000, v_result
  );
  work := 'batch';
end;
$$;

revoke execute on function assignment.next_batch_rows(integer, real[], double precision) from public;
revoke execute on function assignment.next_members(assignment.backfill_lanes, uuid, integer) from public;
revoke execute on function assignment.record_batch(assignment.backfill_lanes, uuid, integer, double precision, assignment.batch_result) from public;
revoke execute on function assignment.record_backfill_errors(uuid, assignment.member_failure[]) from public;
revoke execute on function assignment.note_backfill_progress(uuid) from public;
revoke execute on function assignment.backfill_step(uuid) from public;
comment on function assignment.backfill_step(uuid) is
  'Does a run''s next piece of work in this statement and says which: batch (a lane''s next members), busy (other steps hold
all lanes left), swept (stragglers that the proof found), finished, stopped (not running). Raises TA007 no such run; any error
of the batch as a whole: nothing of it happened, call again.';

-- migrate:down
drop function if exists assignment.backfill_step(uuid);
drop function if exists assignment.note_backfill_progress(uuid);
drop function if exists assignment.record_backfill_errors(uuid, assignment.member_failure[]);
drop function if exists assignment.record_batch(assignment.backfill_lanes, uuid, integer, double precision, assignment.batch_result);
drop function if exists assignment.next_members(assignment.backfill_lanes, uuid, integer);
drop function if exists assignment.next_batch_rows(integer, real[], double precision);
