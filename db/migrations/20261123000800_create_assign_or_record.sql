-- Auto-assignment with a record of what failed. The trigger and the service call it.
-- It never raises, so that it cannot make a signup fail.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_or_record(
  p_member_ids uuid[],
  p_source text,
  p_trainer_id uuid default null,
  p_rows jsonb[] default null,
  p_actor text default null
)
  returns assignment.member_failure[]
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
declare
  v_request assignment.request;
  v_trainer_id uuid := p_trainer_id;
  v_failures assignment.member_failure[];
  v_gone_ids uuid[];
  v_sqlstate text;
  v_message text;
begin
  begin
    v_trainer_id := coalesce(p_trainer_id, (select default_trainer_id from assignment.settings where not needs_choice));
    v_request.purpose := case p_source when 'trigger' then 'first' else 'fill' end;  -- saves a query
    v_request.source := p_source;
    v_request.actor := coalesce(p_actor, case p_source when 'trigger' then 'trigger' else assignment.database_role() end);
    v_request.trainer_id := p_trainer_id;
    v_failures := (assignment.assign_batch(v_request, p_member_ids, p_rows, p_max_attempts => 1000)).failures;
  exception when others or assert_failure then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text;
    begin
      v_gone_ids := assignment.find_gone_members(p_member_ids);
    exception when others or assert_failure then
      null;  -- whoever is gone is recorded as well, and the retry finds out
    end;
    v_failures := array(
      select row(present.id, v_sqlstate, left(v_message, 1000), null)::assignment.member_failure
      from (select unnest(p_member_ids) except select unnest(v_gone_ids)) as present (id)
    );
  end;

  if cardinality(v_failures) > 0 then
    begin
      insert into assignment.failures as f (member_id, trainer_id, requested_trainer_id, rule, sqlstate, message, source)
      select member_id, v_trainer_id, p_trainer_id, rule, sqlstate, message, p_source
      from unnest(v_failures)
      order by member_id
      on conflict (member_id) do update set
        trainer_id = excluded.trainer_id,
        requested_trainer_id = excluded.requested_trainer_id,
        rule = excluded.rule,
        sqlstate = excluded.sqlstate,
        message = excluded.message,
        source = excluded.source,
        attempts = least(f.attempts, 2147483646) + 1,
        last_failed_at = excluded.last_failed_at,
        next_attempt_at = excluded.next_attempt_at;
    exception when others or assert_failure then
      raise warning 'trainer assignment: % new member(s), the first %, are neither assigned nor recorded as failed: %',
        cardinality(v_failures), v_failures[1].member_id, sqlerrm
        using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
    end;
  end if;
  return v_failures;
end;
$$;

revoke execute on function assignment.assign_or_record(uuid[], text, uuid, jsonb[], text) from public;
comment on function assignment.assign_or_record(uuid[], text, uuid, jsonb[], text) is
  'Assigns members as the policy says, or to p_trainer_id, and records in assignment.failures who could not be assigned.
Returns those. p_actor null: trigger, or the database role. p_rows: the members'' rows, in the same order; null: read from members.
Ended assignments stay ended. Waits at most 250 ms for a lock.
Never raises, except when the caller cancels the statement or its statement_timeout expires.';

-- migrate:down
drop function if exists assignment.assign_or_record(uuid[], text, uuid, jsonb[], text);
