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
  language sql
as $$
  -- Transactions below the oldest one still running have all ended: what they wrote is here, and nothing can be added.
  select m.xid, m.id, assignment.render_message(m)::text
  from assignment.outbox m
  where (m.xid, m.id) > (p_after_xid, p_after_id)
    and m.xid < pg_snapshot_xmin(pg_current_snapshot())
    and m.is_test_for is null
    and (p_types is null or m.type = any (p_types))
  order by m.xid, m.id
  limit p_limit
$$;

revoke execute on function assignment.read_events(xid8, uuid, text[], integer) from public;
comment on function assignment.read_events(xid8, uuid, text[], integer) is
  'Messages after a cursor (xid, id). body null: the members that it told of are deleted. A transaction that has been writing for
long holds back what was written after it began.';

-- migrate:down
drop function if exists assignment.read_events(xid8, uuid, text[], integer);
