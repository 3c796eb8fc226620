-- Finds the members that a run missed: in its range, without any assignment to its trainer, without a recorded error.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_stragglers(p_run assignment.backfill_runs)
  returns setof uuid
  stable
  set search_path = pg_catalog, pg_temp
  set enable_nestloop = off  -- it reads all members once, whatever the statistics say
  set jit = off  -- before PostgreSQL 18, a disabled plan type raises the cost, which would start the compiler
  set plan_cache_mode = force_custom_plan
  language plpgsql
as $$
declare
  v_upper_id uuid := (
    select upper_id from assignment.backfill_lanes where run_id = p_run.id and lane > 0 order by upper_id desc limit 1
  );
begin
  perform assignment.require_visible_rows();
  if p_run.kind = 'transfer' then
    return query select assignment.find_transfer_stragglers(p_run, v_upper_id);
    return;
  elsif p_run.trainer_id is null then
    return query select assignment.find_policy_stragglers(p_run, v_upper_id);
    return;
  end if;
  return query
  select m.id
  from public.members m
  where m.id <= v_upper_id
    and m.id <> p_run.trainer_id
    and not exists (
      select
      from public.trainer_client_assignments a
      where a.client_id = m.id
        and a.trainer_id = p_run.trainer_id
        and a.status = 'active'
    )
    and not exists (
      select
      from public.trainer_client_assignments a
      where a.client_id = m.id
        and a.trainer_id = p_run.trainer_id
        and a.status = 'inactive'
    )
    and not exists (select from assignment.backfill_errors e where e.run_id = p_run.id and e.member_id = m.id)
    and (
      not p_run.only_failed
      or exists (select from assignment.backfill_errors e where e.run_id = p_run.retry_of and e.member_id = m.id)
    );
end;
$$;

revoke execute on function assignment.find_stragglers(assignment.backfill_runs) from public;
comment on function assignment.find_stragglers(assignment.backfill_runs) is
  'The proof of a run as a query: members that it should have assigned and did not.';

-- migrate:down
drop function if exists assignment.find_stragglers(assignment.backfill_runs);
