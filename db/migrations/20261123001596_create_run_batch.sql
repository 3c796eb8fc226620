-- Does what a run is for with a batch of members.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.run_batch(p_run assignment.backfill_runs, p_member_ids uuid[])
  returns assignment.batch_result
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_selected record;
  v_result assignment.batch_result;
begin
  if p_run.kind = 'backfill' then
    return assignment.assign_batch(assignment.run_request(p_run), p_member_ids);
  end if;
  select * into v_selected from assignment.select_clients(p_run, p_member_ids);
  v_result := assignment.choose_and_assign(
    assignment.run_request(p_run), (v_selected.clients).member_ids, v_selected.member_rows, v_selected.clients
  );
  v_result.not_selected := v_result.not_selected + cardinality(p_member_ids) - cardinality((v_selected.clients).member_ids);
  return v_result;
end;
$$;

revoke execute on function assignment.run_batch(assignment.backfill_runs, uuid[]) from public;
comment on function assignment.run_batch(assignment.backfill_runs, uuid[]) is
  'Assigns or moves members as a run asks for, and counts the results. Raises as choose_and_assign does.';

-- migrate:down
drop function if exists assignment.run_batch(assignment.backfill_runs, uuid[]);
