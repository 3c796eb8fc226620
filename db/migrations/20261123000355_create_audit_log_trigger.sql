-- Keeps the audit log, and its index audit_subjects, from being changed: lines can be added, and forget_before deletes old
-- ones.
-- Locks: none up; the down takes access exclusive on both tables (given up after 5 s). Reversible.

-- migrate:up
create function assignment.tg_audit_log__refuse_change()
  returns trigger
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if tg_op = 'DELETE'
    and current_setting('assignment.forgets', true) = 'on'
    and has_schema_privilege('assignment', 'create')  -- another role may have set it
  then
    return null;  -- ignored for a statement trigger
  end if;
  raise exception 'the audit log is only ever added to'
    using errcode = 'TA018', hint = 'assignment.forget_before(time) deletes the lines of before a time.';
end;
$$;

revoke execute on function assignment.tg_audit_log__refuse_change() from public;
comment on function assignment.tg_audit_log__refuse_change() is
  'Raises TA018 on every change of the audit log, except when forget_before deletes.';

create trigger audit_log_refuse_change_before_change
  before update or delete or truncate on assignment.audit_log
  for each statement
  execute function assignment.tg_audit_log__refuse_change();

create trigger audit_subjects_refuse_change_before_change
  before update or delete or truncate on assignment.audit_subjects
  for each statement
  execute function assignment.tg_audit_log__refuse_change();

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops its triggers, even where the table is already gone.
drop function if exists assignment.tg_audit_log__refuse_change() cascade;
