-- Does one step of a run, in one autocommit statement: rows, counters and cursor commit together or not at all.
-- Any number of callers may step a run at once, from any replica.
-- Locks: none. Reversible.

-- migrate:up
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

  -- Read after locking the lane: once a run is paused and await_lanes has returned, no further batch begins.
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.dry_run then
    raise exception 'run % is a dry run: use preview_step and record_preview', p_run_id using errcode = 'TA006';
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
  select n.member_ids, n.next_id into v_ids, v_next_id from assignment.next_members(v_run, v_lane, v_rows) as n;
  members := cardinality(v_ids);

  v_result := assignment.run_batch(v_run, v_ids);
  perform assignment.record_backfill_errors(p_run_id, v_result.failures);
  perform assignment.record_batch(
    v_lane, v_next_id, members, extract(epoch from clock_timestamp() - v_began) * 1000, v_result
  );
  work := 'batch';
end;
$$;

revoke execute on function assignment.backfill_step(uuid) from public;
comment on function assignment.backfill_step(uuid) is
  'Does the next piece of work of a run and returns which: batch (members of a lane), busy (other steps hold all remaining
lanes), swept (members that the proof found), finished, stopped (not running).
Raises TA007 run not found, TA006 dry run. Any other error undoes the whole batch: call again.';

-- migrate:down
drop function if exists assignment.backfill_step(uuid);
