-- Takes the failures to retry next: the one that has been due longest, and others with the same requested trainer.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.take_due_failures(
  p_limit integer,
  out requested_trainer_id uuid,
  out member_ids uuid[]
)
  volatile
  set search_path = pg_catalog, pg_temp
  -- Prevents a sort of all failures for each batch, on statistics from before an outage.
  set enable_sort = off
  set enable_bitmapscan = off
  set enable_seqscan = off
  set jit = off  -- before PostgreSQL 18, a disabled plan type raises the cost, which would start the compiler
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
  'Locks and returns up to p_limit due failures that no other session is retrying: the one due longest, and others with
the same requested trainer.';

-- migrate:down
drop function if exists assignment.take_due_failures(integer);
