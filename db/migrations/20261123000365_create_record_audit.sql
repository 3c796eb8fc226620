-- Adds a line to the audit log: the only place that does.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_audit(
  p_actor text,
  p_action text,
  p_subject text default null,
  p_trainer_ids uuid[] default '{}',
  p_before jsonb default null,
  p_after jsonb default null,
  p_request_id text default null
)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  insert into assignment.audit_log (actor, database_role, action, subject, trainer_ids, before, after, request_id)
  values (
    coalesce(p_actor, assignment.database_role()),
    assignment.database_role(),
    p_action,
    p_subject,
    array_remove(p_trainer_ids, null),
    p_before,
    p_after,
    p_request_id
  )
$$;

revoke execute on function assignment.record_audit(text, text, text, uuid[], jsonb, jsonb, text) from public;
comment on function assignment.record_audit(text, text, text, uuid[], jsonb, jsonb, text) is
  'Adds a line to the audit log, in the transaction of the change. p_actor null: the database role.';

-- migrate:down
drop function if exists assignment.record_audit(text, text, text, uuid[], jsonb, jsonb, text);
