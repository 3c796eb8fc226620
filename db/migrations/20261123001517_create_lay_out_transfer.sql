-- Counts the clients of a new transfer, and divides them into lanes.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.lay_out_transfer(p_run assignment.backfill_runs)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_total bigint;
begin
  if p_run.only_failed or p_run.only_selected then
    insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id, includes_upper)
    select p_run.id, 1, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', true;
    select count(*) into v_total
    from (
      select member_id from assignment.backfill_errors where p_run.only_failed and run_id = p_run.retry_of
      union all
      select member_id from assignment.backfill_selected where not p_run.only_failed and run_id = p_run.id
    ) as listed;
  else
    with planned as (
      -- A dry run that shares out seats has one lane, because each batch must know what earlier ones gave away.
      select * from assignment.plan_transfer_lanes(p_run.from_trainer_id, case when p_run.dry_run then 1 else 16 end)
    ),
    inserted as (
      insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id, includes_upper)
      select p_run.id, p.lane, p.next_id, p.upper_id, p.includes_upper
      from planned p
    )
    select coalesce(max(p.clients), 0) into v_total from planned p;
  end if;
  update assignment.backfill_runs set total = v_total where id = p_run.id;
end;
$$;

revoke execute on function assignment.lay_out_transfer(assignment.backfill_runs) from public;
comment on function assignment.lay_out_transfer(assignment.backfill_runs) is
  'Sets the total of a new transfer, and inserts its lanes: one for those listed, else as plan_transfer_lanes says.';

-- migrate:down
drop function if exists assignment.lay_out_transfer(assignment.backfill_runs);
