-- Starts a run, by default by the policy in force. A trainer has at most one run that has not ended, and so has the policy,
-- however many callers start one at once.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.start_backfill(
  p_requested_by text,
  p_trainer_id uuid default null,
  p_dry_run boolean default false,
  p_batch_rows integer default null,
  p_retry_of uuid default null,
  p_only_failed boolean default false,
  p_traceparent text default null,
  p_reassigns boolean default false,
  p_request_id text default null
)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_trainer_id uuid := p_trainer_id;
  v_policy_version integer;
  v_requested_by text := coalesce(p_requested_by, assignment.database_role());
  v_run_id uuid;
  v_active_id uuid;
  v_has_limits boolean;
begin
  perform assignment.require_visible_rows();
  if p_trainer_id is null then
    select policy_version, case when not (needs_choice or respects_other_trainers or p_reassigns) then default_trainer_id end
    into v_policy_version, v_trainer_id
    from assignment.settings;
    if not found then
      perform assignment.default_trainer_id();  -- raises
    end if;
  end if;
  v_has_limits := v_trainer_id is null or exists (
    select
    from assignment.trainers t
    where t.trainer_id = v_trainer_id
      and (t.capacity is not null or not t.accepts_clients)
  );
  if v_trainer_id is not null and not exists (select from public.members where id = v_trainer_id) then
    raise exception 'trainer % is not a member', v_trainer_id using errcode = 'TA001';
  end if;

  loop
    insert into assignment.backfill_runs
      (
        trainer_id, policy_version, dry_run, reassigns, batch_rows, retry_of, only_failed, requested_by, status_changed_by,
        status_request_id, start_traceparent
      )
    values (
      v_trainer_id, v_policy_version, p_dry_run, p_reassigns, p_batch_rows, p_retry_of, p_only_failed, v_requested_by,
      v_requested_by, p_request_id, p_traceparent
    )
    on conflict (kind, coalesce(from_trainer_id, trainer_id, '00000000-0000-0000-0000-000000000000'))
    where status in ('running', 'paused')
    do nothing
    returning id into v_run_id;
    exit when found;

    select id into v_active_id
    from assignment.backfill_runs
    where kind = 'backfill'
      and trainer_id is not distinct from v_trainer_id
      and status in ('running', 'paused');
    if found then
      raise exception 'run % % has not ended', v_active_id, coalesce('for trainer ' || v_trainer_id, 'by the policy')
        using errcode = 'TA005', detail = v_active_id::text;
    end if;
  end loop;

  -- A dry run that shares out seats has one lane, because each batch must know what earlier ones gave away.
  perform assignment.lay_out_backfill(r, p_dry_run and v_has_limits) from assignment.backfill_runs r where r.id = v_run_id;
  return v_run_id;
end;
$$;

revoke execute on function assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text, boolean, text) from public;
comment on function assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text, boolean, text) is
  'Starts a run for a trainer, or by the policy in force, and returns its id. p_reassigns: the run also replaces what a policy
chose and would no longer choose (only by the policy).
Raises TA001 trainer not found, TA005 the trainer has a run that has not ended (its id in detail).';

-- migrate:down
drop function if exists assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text, boolean, text);
