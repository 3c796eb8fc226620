-- What becomes of each message at each endpoint.
-- Locks: none. Reversible; the down drops the record of deliveries.

-- migrate:up
create table assignment.deliveries (
  endpoint_id uuid not null,
  message_id uuid not null,
  status text not null default 'pending',
  attempts integer not null default 0,
  next_attempt_at timestamptz default now(),
  last_attempt_at timestamptz,
  last_status integer,
  last_error text,
  last_answer text,
  last_took_ms integer,
  ended_at timestamptz,
  constraint deliveries_pkey primary key (endpoint_id, message_id),
  constraint deliveries_endpoint_id_fkey
    foreign key (endpoint_id) references assignment.webhook_endpoints (id) on delete cascade,
  constraint deliveries_message_id_fkey foreign key (message_id) references assignment.outbox (id) on delete cascade,
  constraint status_is_known check (status in ('pending', 'delivered', 'failed', 'dropped')),
  constraint pending_has_a_time check ((next_attempt_at is not null) = (status = 'pending')),
  constraint ended_at_belongs_to_ended check ((ended_at is null) = (status = 'pending'))
);

create index deliveries_due_idx on assignment.deliveries (endpoint_id, next_attempt_at) where status = 'pending';
create index deliveries_message_id_idx on assignment.deliveries (message_id);
create index deliveries_undelivered_idx on assignment.deliveries (endpoint_id, status, message_id)
  where status in ('pending', 'failed');

comment on table assignment.deliveries is 'A message for an endpoint: pending, delivered, failed (given up), or dropped.';
comment on column assignment.deliveries.status is
  'dropped: there is nothing left to tell, because the members it told of are deleted.';
comment on column assignment.deliveries.next_attempt_at is
  'When it is tried next. While an attempt is under way: when another process may take it for lost.';
comment on column assignment.deliveries.last_status is 'The HTTP status of the last answer. Null: there was none.';
comment on column assignment.deliveries.last_error is 'Why there was no answer, or why it does not count as success.';
comment on column assignment.deliveries.last_answer is 'The first 2,000 characters of the last answer.';

-- migrate:down
drop table if exists assignment.deliveries;
