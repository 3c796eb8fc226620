-- Retrying failures now, whatever their time, so that the service needs no right to write them.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.hasten_failures()
  returns bigint
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  update assignment.failures
  set next_attempt_at = now()
  where member_id in (
    select member_id from assignment.failures where next_attempt_at > now() order by member_id for update skip locked
  );
  return (select count(*) from assignment.failures where next_attempt_at <= now());
end;
$$;

revoke execute on function assignment.hasten_failures() from public;
comment on function assignment.hasten_failures() is
  'Makes every failure due now, but for those that a retry under way holds. Returns how many are due.';

-- migrate:down
drop function assignment.hasten_failures();
