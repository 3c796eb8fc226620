-- What was done, by whom, when: whatever the rows themselves do not tell. Lines are only ever added.
-- Locks: none. Reversible; the down drops the log.

-- migrate:up
create table assignment.audit_log (
  id uuid not null default assignment.uuid_v7(),
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  database_role text not null,
  action text not null,
  subject text,
  trainer_ids uuid[] not null default '{}',
  before jsonb,
  after jsonb,
  request_id text,
  constraint audit_log_pkey primary key (id)
);

-- Each serves a filter in the order of the list; the first also the list as a whole, and forget_before.
create index audit_log_at_id_idx on assignment.audit_log (at, id);
create index audit_log_actor_at_id_idx on assignment.audit_log (actor, at, id);
create index audit_log_action_at_id_idx on assignment.audit_log (action, at, id);

comment on table assignment.audit_log is
  'Each change of policy, trainers and runs, assignments made or ended by hand, changes past the service, sign-ins and refused
tokens. Assignments by a trigger, a program or a run are no lines here: their rows tell.';
comment on column assignment.audit_log.id is 'UUID version 7. Among lines of one time, the later is the greater.';
comment on column assignment.audit_log.actor is
  'Who: the name of a token or session, jwt: or oidc: and who it is, cli: and a user, schedule, service, or a database role.';
comment on column assignment.audit_log.database_role is 'The role of the database session, which no caller can choose.';
comment on column assignment.audit_log.action is 'What: a thing and a verb, such as policy.changed.';
comment on column assignment.audit_log.subject is
  'To what: a kind and an id, such as run:… or assignment:…. Nothing names a member who is only a client, so that a deleted
member leaves nothing behind: the assignment tells whose it is, and goes with the member.';
comment on column assignment.audit_log.trainer_ids is 'The trainers that it concerns. No foreign keys: the log outlives them.';
comment on column assignment.audit_log.request_id is 'The id of the HTTP request, as in the service''s log.';

-- migrate:down
drop table if exists assignment.audit_log;
