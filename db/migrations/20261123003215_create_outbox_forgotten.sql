-- Up to where messages are forgotten: so that a consumer who was away for too long is told so.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.outbox_forgotten (
  type text not null,
  xid xid8 not null,
  id uuid not null,
  constraint outbox_forgotten_pkey primary key (type)
);

comment on table assignment.outbox_forgotten is
  'Of each type, the place (xid, id) of the last message that is no longer kept. A cursor before it has missed something.';

-- migrate:down
drop table if exists assignment.outbox_forgotten;
