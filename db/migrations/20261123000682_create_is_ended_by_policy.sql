-- Tells whether a run ended an assignment because the policy said so: reassigning may make it again.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.is_ended_by_policy(p_ended_run_id uuid)
  returns boolean
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql  -- the table of runs comes later
as $$
begin
  return p_ended_run_id is not null and exists (
    select
    from assignment.backfill_runs r
    where r.id = p_ended_run_id
      and r.policy_version is not null
  );
end;
$$;

revoke execute on function assignment.is_ended_by_policy(uuid) from public;
comment on function assignment.is_ended_by_policy(uuid) is
  'Whether the run that ended an assignment (null: none did) followed the policy. What a person ended, or moved to a trainer
by name, stays ended.';

-- migrate:down
drop function if exists assignment.is_ended_by_policy(uuid);
