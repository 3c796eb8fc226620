-- Makes the batches of a run smaller.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.halve_batches(p_run_id uuid)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  update assignment.backfill_lanes l
  set batch_rows = greatest(100, l.batch_rows / 2)
  from (
    select lane from assignment.backfill_lanes where run_id = p_run_id and not done order by lane for update skip locked
  ) as free
  where l.run_id = p_run_id
    and l.lane = free.lane;
end;
$$;

revoke execute on function assignment.halve_batches(uuid) from public;
comment on function assignment.halve_batches(uuid) is
  'Halves the batches of the lanes that no step holds, to 100 rows at least.';

-- migrate:down
drop function if exists assignment.halve_batches(uuid);
