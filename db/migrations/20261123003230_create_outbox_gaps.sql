-- Changes that could not be written to the outbox. The reconciliation makes messages of them.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.outbox_gaps (
  id bigint not null generated always as identity,
  at timestamptz not null default now(),
  type text not null,
  assignment_ids uuid[],
  member_ids uuid[],
  run_id uuid,
  policy_version integer,
  message text not null,
  constraint outbox_gaps_pkey primary key (id)
);

comment on table assignment.outbox_gaps is
  'Changes without a message, because the outbox refused it. Plain on purpose: what broke the outbox should not break this.';
comment on column assignment.outbox_gaps.message is 'The error.';

-- migrate:down
drop table if exists assignment.outbox_gaps;
