-- Messages to send: each is written in the transaction of the change that it tells of.
-- Locks: none. Reversible; the down drops the messages.

-- migrate:up
create table assignment.outbox (
  id uuid not null default assignment.uuid_v7(),
  xid xid8 not null default pg_current_xact_id(),
  type text not null,
  at timestamptz not null default now(),
  assignment_ids uuid[],
  member_ids uuid[],
  run_id uuid,
  policy_version integer,
  is_test_for uuid,
  is_addressed boolean not null default false,
  constraint outbox_pkey primary key (id)
);

create unique index outbox_order_idx on assignment.outbox (xid, id);
create index outbox_to_address_idx on assignment.outbox (id) where not is_addressed;
create index outbox_tests_idx on assignment.outbox (is_test_for) where is_test_for is not null;
create index outbox_at_idx on assignment.outbox (at);
create index outbox_member_ids_idx on assignment.outbox using gin (member_ids) where member_ids is not null;

comment on table assignment.outbox is
  'Messages, with the ids of what they tell of: the text is made from the rows when it is sent, so that a member who is deleted
is in none.';
comment on column assignment.outbox.id is 'The webhook-id, the same at every attempt.';
comment on column assignment.outbox.xid is
  'The transaction that wrote it. In the order of (xid, id), no message appears behind one that read_events has given out.';
comment on column assignment.outbox.assignment_ids is 'Of assignments.created and assignments.ended: at most 500.';
comment on column assignment.outbox.member_ids is 'Of assignment.failed: at most 500.';
comment on column assignment.outbox.is_test_for is 'A test message, for this endpoint alone.';
comment on column assignment.outbox.is_addressed is 'Whether there is a delivery for each endpoint that wants it.';

-- migrate:down
drop table if exists assignment.outbox;
