-- Failed auto-assignments. Each stays here until a retry succeeds.
-- No foreign keys and no checks: recording a failure must not fail itself.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.failures (
  member_id uuid not null,
  trainer_id uuid,
  requested_trainer_id uuid,
  rule smallint,
  sqlstate text not null,
  message text not null,
  source text not null,
  attempts integer not null default 1,
  first_failed_at timestamptz not null default now(),
  last_failed_at timestamptz not null default now(),
  next_attempt_at timestamptz not null default now() + interval '15 seconds',
  logged_at timestamptz,
  constraint failures_pkey primary key (member_id)
);

create index failures_next_attempt_at_idx on assignment.failures (next_attempt_at, member_id);
create index failures_no_room_idx on assignment.failures (first_failed_at, member_id) where sqlstate = 'TA011';
create index failures_new_idx on assignment.failures (member_id) where logged_at is null;

comment on table assignment.failures is 'Members whose auto-assignment failed. The service retries it.';
comment on column assignment.failures.trainer_id is
  'The trainer of the last attempt. A retry asks the policy again. Null: none was chosen.';
comment on column assignment.failures.requested_trainer_id is
  'The trainer that the caller asked for; retries use this one. Null: the policy decides.';
comment on column assignment.failures.rule is
  'The rule that waits for room (0: the default trainer). Null: the member does not wait for room.';
comment on column assignment.failures.sqlstate is
  'The error code of the last attempt: PostgreSQL''s, or one of this service (TA…).';
comment on column assignment.failures.source is 'What tried to assign; see public.trainer_client_assignments.source.';
comment on column assignment.failures.attempts is 'Failed attempts so far.';
comment on column assignment.failures.next_attempt_at is 'When the service tries again. See assignment.retry_after; the default
is its first wait, written out, because inserting a failure must need no right to a function.';
comment on column assignment.failures.logged_at is 'When a replica took the failure to log it. Null: not logged yet.';

-- migrate:down
drop table if exists assignment.failures;
