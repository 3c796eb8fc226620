-- Finds the assignments that a message tells of.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.list_told_assignments(p_message assignment.outbox)
  returns table (
    id uuid,
    client_id uuid,
    trainer_id uuid,
    assignment_date timestamptz,
    source text,
    assigned_by text,
    backfill_run_id uuid,
    policy_version integer,
    rule smallint,
    ended_at timestamptz,
    ended_by text,
    ended_because text,
    ended_run_id uuid
  )
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
begin
  return query
  select
    a.id,
    a.client_id,
    a.trainer_id,
    a.assignment_date,
    a.source,
    a.assigned_by,
    a.backfill_run_id,
    a.policy_version,
    a.rule,
    a.ended_at,
    a.ended_by,
    a.ended_because,
    a.ended_run_id
  from public.trainer_client_assignments a
  where a.id = any (p_message.assignment_ids);
end;
$$;

revoke execute on function assignment.list_told_assignments(assignment.outbox) from public;
comment on function assignment.list_told_assignments(assignment.outbox) is 'The assignments of a message that still exist.';

-- migrate:down
drop function if exists assignment.list_told_assignments(assignment.outbox);
