-- Retries failed auto-assignments that are due: with the requested trainer, or as the policy in force says.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.retry_failures(
  p_limit integer default 500,
  out retried integer,
  out succeeded integer,
  out failed integer,
  out failed_ids uuid[]
)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_request assignment.request;
  v_member_ids uuid[];
  v_locked_ids uuid[];
  v_trainer_id uuid;
  v_failures assignment.member_failure[] := '{}';
  v_sqlstate text;
  v_message text;
begin
  failed_ids := '{}';
  select requested_trainer_id, member_ids into v_request.trainer_id, v_member_ids
  from assignment.take_due_failures(p_limit);
  retried := cardinality(v_member_ids);
  if retried = 0 then
    succeeded := 0;
    failed := 0;
    return;
  end if;

  begin
    v_request.purpose := 'fill';
    v_request.source := 'retry';
    v_request.actor := 'retry';
    -- A member that another session has locked would make the whole batch time out.
    v_locked_ids := assignment.find_locked_members(v_member_ids);
    v_trainer_id := coalesce(v_request.trainer_id, (select default_trainer_id from assignment.settings where not needs_choice));
    v_failures := (assignment.assign_batch(
      v_request, array(select unnest(v_member_ids) except select unnest(v_locked_ids))
    )).failures;
    v_failures := v_failures || array(
      select row(member_id, '55P03', 'the member is locked by another session', null)::assignment.member_failure
      from unnest(v_locked_ids) as locked (member_id)
    );
  exception when others or assert_failure then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text;
    v_failures := array(
      select row(member_id, v_sqlstate, left(v_message, 1000), null)::assignment.member_failure
      from unnest(v_member_ids) as asked (member_id)
    );
  end;
  failed := cardinality(v_failures);
  failed_ids := array(select member_id from unnest(v_failures) order by member_id);
  succeeded := retried - failed;

  delete from assignment.failures f
  where f.member_id = any (v_member_ids)
    and f.member_id not in (select member_id from unnest(v_failures));

  update assignment.failures f
  set trainer_id = v_trainer_id,
    sqlstate = again.sqlstate,
    message = again.message,
    rule = again.rule,
    attempts = least(f.attempts, 2147483646) + 1,
    last_failed_at = now(),
    next_attempt_at = now() + assignment.retry_after(least(f.attempts, 2147483646) + 1)
  from unnest(v_failures) as again
  where f.member_id = again.member_id;
end;
$$;

revoke execute on function assignment.retry_failures(integer) from public;
comment on function assignment.retry_failures(integer) is
  'Retries up to p_limit due failures with the same requested trainer. Call it until retried is 0.
A member who is assigned by now, or gone, counts as succeeded and leaves the list. The others wait again, see
assignment.retry_after. Several sessions may call it at once.';

-- migrate:down
drop function if exists assignment.retry_failures(integer);
