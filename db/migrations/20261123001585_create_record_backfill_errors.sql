-- Records the failed members of a batch, at most 10,000 for each run. The count in the lane stays exact.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if cardinality(p_failures) = 0 then
    return;
  end if;
  perform from assignment.backfill_runs where id = p_run_id for no key update;  -- the limit holds for all lanes together
  insert into assignment.backfill_errors (run_id, member_id, sqlstate, message)
  select p_run_id, f.member_id, f.sqlstate, f.message
  from unnest(p_failures) as f
  order by f.member_id
  limit 10000 - (select count(*) from assignment.backfill_errors where run_id = p_run_id)
  on conflict (run_id, member_id) do update set sqlstate = excluded.sqlstate, message = excluded.message;
end;
$$;

revoke execute on function assignment.record_backfill_errors(uuid, assignment.member_failure[]) from public;
comment on function assignment.record_backfill_errors(uuid, assignment.member_failure[]) is
  'Adds failed members to backfill_errors, up to 10,000 for each run. Locks the run until the end of the transaction.';

-- migrate:down
drop function if exists assignment.record_backfill_errors(uuid, assignment.member_failure[]);
