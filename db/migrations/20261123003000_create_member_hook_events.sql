-- Which events of the identity provider were taken, so that each counts once.
-- Locks: none. Reversible; the down forgets the events.

-- migrate:up
create table assignment.member_hook_events (
  id text not null,
  received_at timestamptz not null default now(),
  outcome text not null,
  constraint member_hook_events_pkey primary key (id),
  constraint outcome_is_known check (outcome in ('created', 'known'))
);

create index member_hook_events_received_at_idx on assignment.member_hook_events (received_at);

comment on table assignment.member_hook_events is
  'Events of the identity provider that were taken. Forgotten after 30 days. Nothing here names a member.';
comment on column assignment.member_hook_events.id is
  'The provider''s id of the event, or the SHA-256 of its body where the provider gives none.';
comment on column assignment.member_hook_events.outcome is
  'created: the event made a member. known: the member existed already.';

-- migrate:down
drop table if exists assignment.member_hook_events;
