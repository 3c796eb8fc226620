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
  with line as (
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
    returning id, at
  ),
  concerned as (
    select p_subject as subject
    union
    select 'trainer:' || trainer_id from unnest(p_trainer_ids) as trainer_id
    union
    select 'assignment:' || id from jsonb_array_elements_text(p_after -> 'assignmentIds') as id
  )
  insert into assignment.audit_subjects (subject, at, line_id)
  select concerned.subject, line.at, line.id
  from line
  cross join concerned
  where concerned.subject is not null
$$;

revoke execute on function assignment.record_audit(text, text, text, uuid[], jsonb, jsonb, text) from public;
comment on function assignment.record_audit(text, text, text, uuid[], jsonb, jsonb, text) is
  'Adds a line to the audit log, in the transaction of the change. p_actor null: the database role. The assignments that
p_after lists as assignmentIds are found by their ids, like p_subject and the trainers.';

-- migrate:down
drop function if exists assignment.record_audit(text, text, text, uuid[], jsonb, jsonb, text);
