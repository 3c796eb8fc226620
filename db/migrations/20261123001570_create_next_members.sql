-- Reads the ids of a lane's next batch, and one id more: the next cursor.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.next_members(
  p_run assignment.backfill_runs,
  p_lane assignment.backfill_lanes,
  p_limit integer,
  out member_ids uuid[],
  out next_id uuid
)
  stable
  set search_path = pg_catalog, pg_temp
  -- Prevents a sort of the whole rest of the lane for each batch, on stale statistics.
  set enable_sort = off
  set enable_bitmapscan = off
  set enable_seqscan = off
  set jit = off  -- before PostgreSQL 18, a disabled plan type raises the cost, which would start the compiler
  language plpgsql
as $$
declare
  v_keys uuid[];
begin
  perform assignment.require_visible_rows();
  if p_run.only_failed then
    member_ids := array(
      select e.member_id
      from assignment.backfill_errors e
      where e.run_id = p_run.retry_of
        and e.member_id >= p_lane.next_id
      order by e.member_id
      limit p_limit + 1
    );
  elsif p_run.only_selected then
    member_ids := array(
      select s.member_id
      from assignment.backfill_selected s
      where s.run_id = p_run.id
        and s.member_id >= p_lane.next_id
      order by s.member_id
      limit p_limit + 1
    );
  elsif p_run.kind = 'transfer' then
    select coalesce(array_agg(a.id), '{}'), coalesce(array_agg(a.client_id), '{}')
    into v_keys, member_ids
    from (
      select a.id, a.client_id
      from public.trainer_client_assignments a
      where a.trainer_id = p_run.from_trainer_id
        and a.status = 'active'
        and a.id >= p_lane.next_id
        and a.id <= p_lane.upper_id
        and (p_lane.includes_upper or a.id <> p_lane.upper_id)
      order by a.id
      limit p_limit + 1
    ) as a;
  else
    member_ids := array(
      select m.id
      from public.members m
      where m.id >= p_lane.next_id
        and m.id <= p_lane.upper_id
        and (p_lane.includes_upper or m.id <> p_lane.upper_id)
      order by m.id
      limit p_limit + 1
    );
  end if;
  next_id := (coalesce(v_keys, member_ids))[p_limit + 1];
  member_ids := member_ids[:p_limit];
end;
$$;

revoke execute on function assignment.next_members(assignment.backfill_runs, assignment.backfill_lanes, integer) from public;
comment on function assignment.next_members(assignment.backfill_runs, assignment.backfill_lanes, integer) is
  'The next p_limit members of a lane, and where the lane goes on after them (null: it ends). In key order: of the members, or
of the assignments that a transfer ends.';

-- migrate:down
drop function if exists assignment.next_members(assignment.backfill_runs, assignment.backfill_lanes, integer);
