-- What a run asks for.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.run_request(p_run assignment.backfill_runs)
  returns assignment.request
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select row(
    case when p_run.kind = 'transfer' then 'transfer' when p_run.reassigns then 'reassign' else 'fill' end,
    p_run.kind,
    p_run.requested_by,
    p_run.trainer_id,
    p_run.policy_version,
    p_run.from_trainer_id,
    p_run.id,
    p_run.notes,
    false
  )::assignment.request
$$;

revoke execute on function assignment.run_request(assignment.backfill_runs) from public;
comment on function assignment.run_request(assignment.backfill_runs) is 'The request for the members of a run.';

-- migrate:down
drop function if exists assignment.run_request(assignment.backfill_runs);
