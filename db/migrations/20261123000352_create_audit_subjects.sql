-- What each line of the audit log concerns: an index of arrays in the order of time, which PostgreSQL does not have.
-- Locks: none. Reversible; the down drops the table.

-- migrate:up
create table assignment.audit_subjects (
  subject text not null,
  at timestamptz not null,
  line_id uuid not null,
  constraint audit_subjects_pkey primary key (subject, at, line_id)
);

comment on table assignment.audit_subjects is
  'What each line of the audit log concerns: its subject, its trainers, and the assignments that a statement changed.';
comment on column assignment.audit_subjects.subject is 'A kind and an id, as in audit_log.';
comment on column assignment.audit_subjects.at is 'As in audit_log.';
comment on column assignment.audit_subjects.line_id is 'The line. No foreign key: only forget_before deletes, and it deletes here as well.';

-- migrate:down
drop table if exists assignment.audit_subjects;
