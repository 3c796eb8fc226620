-- When a failed auto-assignment is tried again: the one place that has the schedule.
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
  'How long to wait after so many failed attempts: 15 s, then twice as long each time, at most an hour.';

-- migrate:down
drop function if exists assignment.retry_after(integer);
