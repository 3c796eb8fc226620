-- Auto-assignments that did not succeed, kept until a retry does.
-- No foreign keys and no checks: an insert must not be able to fail for a reason of ours.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.failures (
  member_id uuid not null,
  trainer_id uuid,
  requested_trainer_id uuid,
  sqlstate text not null,
  message text not null,
  source text not null,
  attempts integer not null default 1,
  first_failed_at timestamptz not null default now(),
  last_failed_at timestamptz not null default now(),
  next_attempt_at timestamptz not null default now() + assignment.retry_after(1),
  logged_at timestamptz,
  constraint failures_pkey primary key (member_id)
);

create index failures_next_attempt_at_idx on assignment.failures (next_attempt_at, member_id);
create index failures_new_idx on assignment.failures (member_id) where logged_at is null;

comment on table assignment.failures is 'Members whose auto-assignment failed and waits for a retry.';
comment on column assignment.failures.trainer_id is
  'The trainer of the last attempt; a retry takes the default trainer of its own time. Null: none was configured.';
comment on column assignment.failures.requested_trainer_id is 'The trainer who was asked for by name. Null: the default one.';
comment on column assignment.failures.next_attempt_at is 'When the service tries again, as assignment.retry_after says.';
comment on column assignment.failures.logged_at is 'When a service was given it for its log. Null: not yet.';

-- migrate:down
drop table if exists assignment.failures;
