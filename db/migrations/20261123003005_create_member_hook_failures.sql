-- Signed events of the identity provider that could not be taken, and why. They keep nothing else of the payload: the
-- provider can send the event again.
-- Locks: none. Reversible; the down drops the failures.

-- migrate:up
create table assignment.member_hook_failures (
  id uuid not null default assignment.uuid_v7(),
  event_id text not null,
  event_type text not null,
  member_id uuid,
  reason text not null,
  detail text not null,
  attempts integer not null default 1,
  first_failed_at timestamptz not null default now(),
  last_failed_at timestamptz not null default now(),
  constraint member_hook_failures_pkey primary key (id),
  constraint member_hook_failures_event_id_key unique (event_id)
);

-- Serve forget_members and forget_member_events.
create index member_hook_failures_member_id_idx on assignment.member_hook_failures (member_id);
create index member_hook_failures_last_failed_at_idx on assignment.member_hook_failures (last_failed_at);

comment on table assignment.member_hook_failures is
  'Signed events that could not be taken. One goes when the event, or another one of the same member, is taken, or after 30 days.';
comment on column assignment.member_hook_failures.id is 'UUID version 7.';
comment on column assignment.member_hook_failures.member_id is
  'Who would have been created; null if the event names nobody. Goes with the member.';
comment on column assignment.member_hook_failures.reason is
  'id_missing, value_missing, email_taken, refused: of this event. column_missing, not_granted, table_unfit: of all events.';
comment on column assignment.member_hook_failures.detail is 'What to do about it. Quotes no value.';

-- migrate:down
drop table if exists assignment.member_hook_failures;
