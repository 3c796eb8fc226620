-- Lines of the audit log.

create function assignment.note_line(
  p_place uuid, p_action text, p_after jsonb, p_subject text default null, p_trainer_ids uuid[] default '{}'
)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.note(p_place, 'line', jsonb_build_object(
    'role', assignment.database_role(),
    'action', p_action,
    'subject', p_subject,
    'trainerIds', to_jsonb(array_remove(p_trainer_ids, null)),
    'after', p_after
  ));
end;
$$;

comment on function assignment.note_line(uuid, text, jsonb, text, uuid[]) is 'As record_audit, on the node of a member.';

create function assignment.take_lines(p_notes jsonb)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  with noted as materialized (
    select n.id, n.at, l.role, l.action, l.subject, l."trainerIds" as trainer_ids, l.after
    from jsonb_to_recordset(p_notes) as n (id uuid, at timestamptz, kind text, content jsonb)
    cross join jsonb_to_record(n.content) as l (role text, action text, subject text, "trainerIds" uuid[], after jsonb)
    where n.kind = 'line'
  ),
  lines as (
    insert into assignment.audit_log (id, at, actor, database_role, action, subject, trainer_ids, after)
    select n.id, n.at, n.role, n.role, n.action, n.subject, n.trainer_ids, n.after from noted n
    on conflict (id) do nothing
    returning id
  )
  insert into assignment.audit_subjects (subject, at, line_id)
  select concerned.subject, n.at, n.id
  from noted n
  join lines on lines.id = n.id
  cross join lateral (
    select n.subject
    union
    select 'trainer:' || trainer_id from unnest(n.trainer_ids) as trainer_id
    union
    select 'assignment:' || listed.id from jsonb_array_elements_text(n.after -> 'assignmentIds') as listed (id)
  ) as concerned (subject)
  where concerned.subject is not null;
end;
$$;

comment on function assignment.take_lines(jsonb) is
  'Adds the lines among notes to the audit log, those that are not there yet.';

-- What is by hand has its line in one transaction with it: Citus commits in two phases when the coordinator takes part in it
-- with a table that it knows.
create table assignment.witness (id uuid not null, constraint witness_pkey primary key (id));
select citus_add_local_table_to_metadata('assignment.witness');
comment on table assignment.witness is 'Empty. A change of it makes the coordinator part of a distributed transaction.';

create function assignment.commit_together()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  delete from assignment.witness w where w.id = '00000000-0000-0000-0000-000000000000';
end;
$$;

comment on function assignment.commit_together() is
  'Has what the coordinator writes in this transaction commit with what the nodes do in it, or not at all.';
