-- Counts the members of a new backfill, and divides them into lanes.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.lay_out_backfill(p_run assignment.backfill_runs, p_in_one_lane boolean)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_upper_id uuid;
  v_total bigint;
  v_is_estimate boolean := false;
begin
  if p_run.only_failed then
    select count(*) into v_total from assignment.backfill_errors where run_id = p_run.retry_of;
    select member_id into v_upper_id from assignment.backfill_errors where run_id = p_run.retry_of order by member_id desc limit 1;
  else
    -- id is unique, but not always a primary key, and a null would sort above all ids.
    select id into v_upper_id from public.members where id is not null order by id desc limit 1;
    select count(*) into v_total from (select from public.members where id <= v_upper_id limit 1000001) as counted;
    if v_total > 1000000 then
      v_is_estimate := true;
      select greatest(v_total, sum(members)::bigint) into v_total from assignment.member_tables();
    end if;
  end if;

  update assignment.backfill_runs set total = v_total, total_is_estimate = v_is_estimate where id = p_run.id;
  if v_total > 0 then
    insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id, includes_upper)
    select p_run.id, lane, next_id, upper_id, includes_upper
    from assignment.plan_lanes(v_upper_id, case when p_run.only_failed or p_in_one_lane then 1 else v_total end);
  end if;
end;
$$;

revoke execute on function assignment.lay_out_backfill(assignment.backfill_runs, boolean) from public;
comment on function assignment.lay_out_backfill(assignment.backfill_runs, boolean) is
  'Sets the total of a new run, and inserts its lanes: none without members, else as plan_lanes says. p_in_one_lane: one.';

-- migrate:down
drop function if exists assignment.lay_out_backfill(assignment.backfill_runs, boolean);
