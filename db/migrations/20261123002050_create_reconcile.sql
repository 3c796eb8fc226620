-- Does the scheduled reconciliation: repairs what no trigger saw, forgets what is no longer to be kept, and starts a run.
-- All replicas call it for each slot; one of them does it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.reconcile(
  p_slot timestamptz,
  p_traceparent text default null,
  out run_id uuid,
  out repaired_seats integer,
  out waits_for uuid,
  out problems text[]
)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_active_id uuid;
  v_task text;
begin
  insert into assignment.reconciliations (slot) values (p_slot) on conflict (slot) do nothing;
  if not found then
    return;
  end if;
  perform assignment.mirror_all_missed();
  problems := '{}';
  foreach v_task in array array['forget_gone_members', 'forget_member_events', 'settle_all_seats'] loop
    begin  -- what is broken here must not keep the missed members from their trainers
      case v_task
        when 'forget_gone_members' then
          perform assignment.forget_gone_members();
        when 'forget_member_events' then
          perform assignment.forget_member_events(10000);
        else
          select coalesce(sum(abs(missing)), 0) into repaired_seats from assignment.settle_all_seats();
      end case;
    exception when others or assert_failure then
      problems := problems || format('%s: %s', v_task, sqlerrm);
    end;
  end loop;
  begin
    run_id := assignment.start_backfill('schedule', p_traceparent => p_traceparent);
  exception when sqlstate 'TA005' then
    get stacked diagnostics v_active_id = pg_exception_detail;
    if not exists (
      select
      from assignment.backfill_runs
      where id = v_active_id
        and status = 'running'
        and not (dry_run or only_failed)
    ) then
      -- A paused run, a dry run or a retry does not find the missed members: the slot stays unclaimed.
      waits_for := v_active_id;
      delete from assignment.reconciliations where slot = p_slot;
    end if;
  end;
  update assignment.reconciliations r
  set run_id = reconcile.run_id, repaired_seats = reconcile.repaired_seats
  where r.slot = p_slot;
end;
$$;

revoke execute on function assignment.reconcile(timestamptz, text) from public;
comment on function assignment.reconcile(timestamptz, text) is
  'Claims a slot of the schedule, mirrors missed rows of watched tables, forgets deleted members, repairs seats, and
starts a run. run_id is null when a run is running; all is null when the slot is already claimed. waits_for: a run that has
not ended and is paused, a dry run or a retry of failed members. Everything but the start is done then; call again later.
problems: which of the tasks before the start failed, and why; the next slot tries them again.';

-- migrate:down
drop function if exists assignment.reconcile(timestamptz, text);
