-- Reads the ids of a lane's next batch, and one id more: the next cursor.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.next_members(p_lane assignment.backfill_lanes, p_failed_in uuid, p_limit integer)
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  -- Prevents a sort of the whole rest of the lane for each batch, on stale statistics.
  set enable_sort = off
  set enable_bitmapscan = off
  set enable_seqscan = off
  set jit = off  -- before PostgreSQL 18, a disabled plan type raises the cost, which would start the compiler
  language plpgsql
as $$
begin
  perform assignment.require_visible_rows();
  if p_failed_in is null then
    return array(
      select m.id
      from public.members m
      where m.id >= p_lane.next_id
        and m.id <= p_lane.upper_id
        and (p_lane.includes_upper or m.id <> p_lane.upper_id)
      order by m.id
      limit p_limit + 1
    );
  end if;
  return array(
    select e.member_id
    from assignment.backfill_errors e
    where e.run_id = p_failed_in
      and e.member_id >= p_lane.next_id
    order by e.member_id
    limit p_limit + 1
  );
end;
$$;

revoke execute on function assignment.next_members(assignment.backfill_lanes, uuid, integer) from public;
comment on function assignment.next_members(assignment.backfill_lanes, uuid, integer) is
  'The next p_limit ids of a lane in key order, and the id after them: of all members, or of the members that failed in
run p_failed_in.';

-- migrate:down
drop function if exists assignment.next_members(assignment.backfill_lanes, uuid, integer);
