-- Ends a run: proves that it missed nobody, and assigns those whom it missed.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.finish_backfill(p_run_id uuid, out work text, out members integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_counts record;
  v_ids uuid[];
  v_result assignment.batch_result;
  v_lane assignment.backfill_lanes;
  v_began timestamptz := clock_timestamp();
  v_sweeps boolean;
  v_remaining bigint;
begin
  members := 0;
  -- One caller proves at a time. An advisory lock does it, not a lock of the run: with ten million members the proof is
  -- slow, and pausing the run must not wait for it.
  if not pg_try_advisory_xact_lock(hashtextextended('trainer assignment: end of run ' || p_run_id, 0)) then
    work := 'busy';
    return;
  end if;

  select * into v_run from assignment.backfill_runs where id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.status <> 'running' then
    work := 'stopped';
    return;
  elsif exists (select from assignment.backfill_lanes where run_id = p_run_id and not done) then
    work := 'busy';
    return;
  end if;

  select p.processed, p.successful, p.failed, p.already_assigned
  into v_counts
  from assignment.backfill_progress p
  where p.id = p_run_id;

  v_ids := array(select id from assignment.find_stragglers(v_run) as s (id) order by id limit 10000);
  -- If more failed than are recorded, a straggler may have failed before and would be counted twice.
  v_sweeps := cardinality(v_ids) > 0 and not v_run.dry_run and v_run.sweeps < 5 and v_counts.failed <= 10000;
  if cardinality(v_ids) = 0 then
    v_remaining := 0;
  elsif not v_sweeps then
    -- After a dry run, members that a real run would assign, or take from the trainer, do not count as remaining.
    select greatest(0, count(*) - case
      when not v_run.dry_run then 0
      when v_run.kind = 'transfer' then v_counts.successful + v_counts.already_assigned
      else v_counts.successful
    end)
    into v_remaining
    from assignment.find_stragglers(v_run);
  end if;

  perform from assignment.backfill_runs where id = p_run_id and status = 'running' for no key update;
  if not found then  -- paused or cancelled meanwhile
    work := 'stopped';
    return;
  end if;

  if v_sweeps then
    -- Members that were committed behind the cursor, or that bypassed the trigger during the run.
    insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id)
    values (p_run_id, 0, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000')
    on conflict (run_id, lane) do nothing;
    select * into v_lane from assignment.backfill_lanes where run_id = p_run_id and lane = 0 for update;

    v_result := assignment.run_batch(v_run, v_ids);
    perform assignment.record_backfill_errors(p_run_id, v_result.failures);
    members := cardinality(v_ids);
    perform assignment.record_batch(v_lane, null, members, extract(epoch from clock_timestamp() - v_began) * 1000, v_result);
    update assignment.backfill_runs set sweeps = sweeps + 1 where id = p_run_id;
    work := 'swept';
    return;
  end if;

  update assignment.backfill_runs
  set status = case when v_remaining = 0 and v_counts.failed = 0 then 'succeeded' else 'completed_with_errors' end,
    status_changed_by = 'service',
    status_reason = null,
    status_request_id = null,
    started_at = coalesce(started_at, v_began),
    finished_at = clock_timestamp(),
    total = v_counts.processed,
    total_is_estimate = false,
    remaining = v_remaining,
    throttled_because = null,
    tries = 0
  where id = p_run_id;

  -- Failed auto-assignments of members that the run has assigned need no retry.
  if v_run.kind = 'backfill' and not v_run.dry_run then
    begin
      delete from assignment.failures f
      where case
          when v_run.policy_version is null
          then v_run.trainer_id = coalesce(f.requested_trainer_id, (select default_trainer_id from assignment.settings))
          else f.requested_trainer_id is null
        end
        and exists (
          select
          from public.trainer_client_assignments a
          where a.client_id = f.member_id
            and a.trainer_id = coalesce(v_run.trainer_id, a.trainer_id)
            and a.status = 'active'
        )
        and not exists (select from assignment.backfill_errors e where e.run_id = p_run_id and e.member_id = f.member_id);
    exception when others then
      -- The run must end even if the table of failures is broken. The next retry finds the members assigned.
      raise warning 'trainer assignment: failures that run % resolved are still listed: %', p_run_id, sqlerrm;
    end;
  end if;
  work := 'finished';
end;
$$;

revoke execute on function assignment.finish_backfill(uuid) from public;
comment on function assignment.finish_backfill(uuid) is
  'Once all lanes are done: assigns missed members (swept; at most 5 times up to 10,000), then ends the run (finished).
busy: lanes are not done, or another caller is proving. stopped: the run is not running. Raises TA007 run not found.';

-- migrate:down
drop function if exists assignment.finish_backfill(uuid);
