-- Failures that no log has told of yet: of all replicas one is given each, so that it is told once.
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
  set enable_seqscan = off  -- the statistics may be from before an outage, and there are seldom any
  set jit = off  -- before PostgreSQL 18 what is off counts as cost, and each short look-up would be compiled
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
  'Up to p_limit failures that nobody was given before, for their lines of log.';

-- migrate:down
drop function if exists assignment.claim_new_failures(integer);
