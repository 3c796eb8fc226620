-- Takes the next failures to retry: the one that has been due longest, and others with the same requested trainer.
-- Planner settings: the statistics may be older than an outage and report few failures. The planner would then sort all
-- failures for each batch.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.take_due_failures(
  p_limit integer,
  out requested_trainer_id uuid,
  out member_ids uuid[]
)
  volatile
  set search_path = pg_catalog, pg_temp
  -- The statistics may be from before an outage: thought few, all failures would be sorted for each batch.
  set enable_sort = off
  set enable_bitmapscan = off
  set enable_seqscan = off
  set jit = off  -- before PostgreSQL 18 what is off counts as cost, and each short look-up would be compiled
  language plpgsql
as $$
begin
  select f.requested_trainer_id into take_due_failures.requested_trainer_id
  from assignment.failures f
  where f.next_attempt_at <= now()
  order by f.next_attempt_at, f.member_id
  limit 1
  for update skip locked;

  member_ids := array(
    select f.member_id
    from assignment.failures f
    where f.next_attempt_at <= now()
      and f.requested_trainer_id is not distinct from take_due_failures.requested_trainer_id
    order by f.next_attempt_at, f.member_id
    limit p_limit
    for update skip locked
  );
end;
$$;

revoke execute on function assignment.take_due_failures(integer) from public;
comment on function assignment.take_due_failures(integer) is
  'Up to p_limit failures that are due and that nobody else is retrying, locked: the longest due one and others of its trainer.';

-- migrate:down
drop function if exists assignment.take_due_failures(integer);
