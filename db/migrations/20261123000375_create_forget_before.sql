-- Deletes old lines of the audit log, and says so there. Only the owner may call it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.forget_before(p_before timestamptz)
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_forgotten bigint;
begin
  if p_before is null or p_before > now() then
    raise exception 'the time must lie in the past, not be %', coalesce(p_before::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('assignment.forgets', 'on', true);
  delete from assignment.audit_log where at < p_before;
  get diagnostics v_forgotten = row_count;
  delete from assignment.audit_subjects where at < p_before;
  perform set_config('assignment.forgets', '', true);
  perform assignment.record_audit(
    null, 'audit.forgotten', p_after => jsonb_build_object('before', p_before, 'lines', v_forgotten)
  );
  return v_forgotten;
end;
$$;

revoke execute on function assignment.forget_before(timestamptz) from public;
comment on function assignment.forget_before(timestamptz) is
  'Deletes the lines of the audit log from before a time, and returns how many. It leaves a line that says so.';

-- migrate:down
drop function if exists assignment.forget_before(timestamptz);
