-- The retry schedule: how long a failed auto-assignment waits for its next attempt.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.retry_after(p_attempts integer)
  returns interval
  immutable
  parallel safe
  language sql
return least(interval '15 seconds' * 2 ^ least(p_attempts - 1, 10), interval '1 hour');

revoke execute on function assignment.retry_after(integer) from public;
comment on function assignment.retry_after(integer) is
  'The wait after the given number of failed attempts: 15 s, doubled each time, at most one hour.';

-- migrate:down
drop function if exists assignment.retry_after(integer);
