-- Whoever waited for room under the former rules asks the new ones.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.make_all_waiting_due()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  update assignment.failures
  set next_attempt_at = now()
  where member_id in (
    select member_id
    from assignment.failures
    where sqlstate = 'TA011'
      and requested_trainer_id is null
    order by first_failed_at, member_id
    limit 100000
    for update skip locked
  )
$$;

revoke execute on function assignment.make_all_waiting_due() from public;
comment on function assignment.make_all_waiting_due() is
  'Makes up to 100,000 failures due that wait for room of a trainer whom the policy chose.';

-- migrate:down
drop function if exists assignment.make_all_waiting_due();
