-- Returns failures that are not logged yet. Each goes to one replica, so that it is logged once.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.claim_new_failures(p_limit integer default 500)
  returns table (
    member_id uuid,
    trainer_id uuid,
    sqlstate text,
    message text,
    source text,
    attempts integer,
    first_failed_at timestamptz,
    last_failed_at timestamptz,
    next_attempt_at timestamptz
  )
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on statistics from before an outage
  set jit = off  -- before PostgreSQL 18, a disabled plan type raises the cost, which would start the compiler
  language sql
as $$
  update assignment.failures f
  set logged_at = now()
  from (
    select n.member_id
    from assignment.failures n
    where n.logged_at is null
    order by n.member_id
    limit p_limit
    for update skip locked
  ) as new
  where f.member_id = new.member_id
  returning
    f.member_id,
    f.trainer_id,
    f.sqlstate,
    f.message,
    f.source,
    f.attempts,
    f.first_failed_at,
    f.last_failed_at,
    f.next_attempt_at
$$;

revoke execute on function assignment.claim_new_failures(integer) from public;
comment on function assignment.claim_new_failures(integer) is
  'Marks up to p_limit failures as logged and returns them, for the log.';

-- migrate:down
drop function if exists assignment.claim_new_failures(integer);
