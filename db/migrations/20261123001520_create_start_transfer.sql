-- Starts a run that moves the clients of a trainer: records it and what it selects, and plans its lanes.
-- A trainer has at most one transfer that has not ended.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.start_transfer(
  p_requested_by text,
  p_from_trainer_id uuid,
  p_trainer_id uuid default null,
  p_member_ids uuid[] default null,
  p_condition jsonb default null,
  p_notes text default null,
  p_dry_run boolean default false,
  p_batch_rows integer default null,
  p_traceparent text default null,
  p_request_id text default null,
  p_retry_of uuid default null,
  p_only_failed boolean default false
)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_policy_version integer;
  v_requested_by text := coalesce(p_requested_by, assignment.database_role());
  v_run_id uuid;
  v_active_id uuid;
begin
  v_policy_version := assignment.check_transfer(p_from_trainer_id, p_trainer_id, p_condition);

  loop
    insert into assignment.backfill_runs
      (
        kind, from_trainer_id, trainer_id, policy_version, condition, only_selected, notes, dry_run, batch_rows, retry_of,
        only_failed, requested_by, status_changed_by, status_request_id, start_traceparent
      )
    values (
      'transfer', p_from_trainer_id, p_trainer_id, v_policy_version, p_condition, p_member_ids is not null, p_notes, p_dry_run,
      p_batch_rows, p_retry_of, p_only_failed, v_requested_by, v_requested_by, p_request_id, p_traceparent
    )
    on conflict (kind, coalesce(from_trainer_id, trainer_id, '00000000-0000-0000-0000-000000000000'))
    where status in ('running', 'paused')
    do nothing
    returning id into v_run_id;
    exit when found;

    select id into v_active_id
    from assignment.backfill_runs
    where kind = 'transfer'
      and from_trainer_id = p_from_trainer_id
      and status in ('running', 'paused');
    if found then
      raise exception 'run % from trainer % has not ended', v_active_id, p_from_trainer_id
        using errcode = 'TA019', detail = v_active_id::text;
    end if;
  end loop;

  insert into assignment.backfill_selected (run_id, member_id)
  select distinct v_run_id, id
  from unnest(p_member_ids) as selected (id);

  perform assignment.lay_out_transfer(r) from assignment.backfill_runs r where r.id = v_run_id;
  return v_run_id;
end;
$$;

revoke execute on function assignment.start_transfer(
  text, uuid, uuid, uuid[], jsonb, text, boolean, integer, text, text, uuid, boolean
) from public;
comment on function assignment.start_transfer(
  text, uuid, uuid, uuid[], jsonb, text, boolean, integer, text, text, uuid, boolean
) is
  'Starts a run that moves the clients of p_from_trainer_id to p_trainer_id, or to whom the policy in force chooses (null), and
returns its id. p_member_ids, p_condition: moves only these clients. p_notes: notes of the new assignments; null: as before.
Raises TA001 a trainer is not a member, TA012 the condition is not valid (a pointer in detail), TA017 nobody can take over,
TA019 the trainer has a transfer that has not ended (its id in detail).';

-- migrate:down
drop function if exists assignment.start_transfer(
  text, uuid, uuid, uuid[], jsonb, text, boolean, integer, text, text, uuid, boolean
);
