-- Ends assignments: the only place of this service that does.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.end_assignments(p_ids uuid[], p_because text, p_actor text, p_run_id uuid default null)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language plpgsql
as $$
declare
  v_ended integer;
begin
  -- See trainer_client_assignments_tell_change_after_update. An error takes the setting back.
  perform set_config('assignment.by_service', 'on', true);
  update public.trainer_client_assignments a
  set status = 'inactive',
    ended_at = greatest(now(), a.assignment_date),  -- it may have been made since this transaction began
    ended_by = p_actor,
    ended_because = p_because,
    ended_run_id = p_run_id
  where a.id = any (p_ids)
    and a.status = 'active';
  get diagnostics v_ended = row_count;
  perform set_config('assignment.by_service', '', true);
  return v_ended;
end;
$$;

revoke execute on function assignment.end_assignments(uuid[], text, text, uuid) from public;
comment on function assignment.end_assignments(uuid[], text, text, uuid) is
  'Ends the given assignments, those that are active, and returns how many. The rows stay as history.';

-- migrate:down
drop function if exists assignment.end_assignments(uuid[], text, text, uuid);
