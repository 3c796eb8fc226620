-- Makes the text of a message from the rows that it tells of.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.render_message(p_message assignment.outbox)
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
declare
  v_data jsonb;
begin
  case
    when p_message.is_test_for is not null then
      v_data := jsonb_build_object('test', true);
    when p_message.type in ('assignments.created', 'assignments.ended') then
      select jsonb_build_object('assignments', jsonb_agg(
        jsonb_build_object(
          'id', a.id,
          'memberId', a.client_id,
          'trainerId', a.trainer_id,
          'assignmentDate', to_char(a.assignment_date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'source', a.source,
          'assignedBy', a.assigned_by,
          'runId', a.backfill_run_id,
          'policyVersion', a.policy_version,
          'rule', a.rule
        ) || case
          when p_message.type = 'assignments.ended' then jsonb_build_object(
            'endedAt', to_char(a.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'endedBy', a.ended_by,
            'endedBecause', a.ended_because,
            'endedRunId', a.ended_run_id
          )
          else '{}'
        end
        order by a.id
      ))
      into v_data
      from assignment.list_told_assignments(p_message) a
      having count(*) > 0;
    when p_message.type = 'assignment.failed' then
      select jsonb_build_object('members', jsonb_agg(
        jsonb_build_object('memberId', m.id, 'code', f.sqlstate, 'attempts', f.attempts) order by m.id
      ))
      into v_data
      from unnest(p_message.member_ids) as m (id)
      left join assignment.list_told_failures(p_message) f on f.member_id = m.id
      having count(*) > 0;
    when p_message.type = 'run.ended' then
      select jsonb_build_object(
        'runId', p.id,
        'kind', p.kind,
        'status', p.status,
        'dryRun', p.dry_run,
        'fromTrainerId', p.from_trainer_id,
        'trainerId', p.trainer_id,
        'policyVersion', p.policy_version,
        'requestedBy', p.requested_by,
        'total', p.total,
        'successful', p.successful,
        'skipped', p.skipped,
        'failed', p.failed,
        'remaining', p.remaining
      )
      into v_data
      from assignment.backfill_progress p
      where p.id = p_message.run_id;
    when p_message.type = 'policy.changed' then
      select jsonb_build_object('version', p.version, 'changedBy', p.created_by)
      into v_data
      from assignment.policies p
      where p.version = p_message.policy_version;
  end case;
  if v_data is null then
    return null;
  end if;
  return jsonb_build_object(
    'type', p_message.type,
    'timestamp', to_char(p_message.at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'data', v_data
  );
end;
$$;

revoke execute on function assignment.render_message(assignment.outbox) from public;
comment on function assignment.render_message(assignment.outbox) is
  'The body of a message: type, timestamp, data; of members their ids alone, and no free text. Null when all members that it told of are deleted. Assignments that ended
since are told as they were made.';

-- migrate:down
drop function if exists assignment.render_message(assignment.outbox);
