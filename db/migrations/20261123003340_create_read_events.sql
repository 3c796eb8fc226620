-- Messages for consumers who fetch them, in an order in which none can appear behind one that was given out.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.read_events(
  p_after_xid xid8,
  p_after_id uuid,
  p_types text[] default null,
  p_limit integer default 100
)
  returns table (xid xid8, id uuid, body text)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
declare
  v_after_xid xid8 := coalesce(p_after_xid, '0');
  v_after_id uuid := coalesce(p_after_id, '00000000-0000-0000-0000-000000000000');
  -- Transactions below the oldest one still running have all ended: what they wrote is here, and nothing can be added.
  v_horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
begin
  if p_after_xid is not null and (
    v_after_xid >= pg_snapshot_xmax(pg_current_snapshot())
    or exists (
      select
      from assignment.outbox_forgotten f
      where (f.xid, f.id) > (v_after_xid, v_after_id)
        and (p_types is null or f.type = any (p_types))
    )
  ) then
    raise exception 'messages after the cursor are no longer kept' using errcode = 'TA022';
  end if;

  return query
  with found as (
    select m as message, coalesce(cardinality(m.assignment_ids), cardinality(m.member_ids), 1) as weight
    from assignment.outbox m
    where (m.xid, m.id) > (v_after_xid, v_after_id)
      and m.xid < v_horizon
      and m.is_test_for is null
      and (p_types is null or m.type = any (p_types))
    order by m.xid, m.id
    limit p_limit
  ),
  weighed as (
    select f.message, sum(f.weight) over (order by (f.message).xid, (f.message).id) - f.weight as weight_before
    from found f
  )
  select (w.message).xid, (w.message).id, assignment.render_message(w.message)::text
  from weighed w
  where w.weight_before < 5000
  union all
  select newest.xid, newest.id, null
  from (
    (select m.xid, m.id from assignment.outbox m where m.xid < v_horizon order by m.xid desc, m.id desc limit 1)
    union all
    (select f.xid, f.id from assignment.outbox_forgotten f order by f.xid desc, f.id desc limit 1)
    order by 1 desc, 2 desc
    limit 1
  ) as newest
  where (newest.xid, newest.id) > (v_after_xid, v_after_id)
    and (select count(*) < p_limit and count(*) filter (where w.weight_before >= 5000) = 0 from weighed w)
  order by 1, 2;
end;
$$;

revoke execute on function assignment.read_events(xid8, uuid, text[], integer) from public;
comment on function assignment.read_events(xid8, uuid, text[], integer) is
  'Messages after a place (xid, id), or from the first one kept: up to p_limit, fewer if they tell of more than 5,000 members. If
there are no more for now, a last row has the place of the newest message of any type. body null: nothing to tell at this place,
for example because the members are deleted. A transaction that has been writing for long holds back what was written after it
began. Raises TA022 messages after the place are no longer kept, or this database was restored from before it.';

-- migrate:down
drop function if exists assignment.read_events(xid8, uuid, text[], integer);
