-- The free room of trainers with a capacity: one row for each free seat. Taking a seat deletes a row that no other
-- transaction has locked, so signups never wait for each other; a rollback brings the row back.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.seats (
  trainer_id uuid not null,
  seat uuid not null default assignment.uuid_v7(),
  is_overbooked boolean not null default false,
  constraint seats_pkey primary key (trainer_id, is_overbooked, seat)
);

comment on table assignment.seats is
  'For each trainer with a capacity: free seats minus overbooked seats = capacity minus active clients.';
comment on column assignment.seats.is_overbooked is
  'False: a free seat. True: a client beyond the capacity, added by force or left over when the capacity was lowered. A
seat that is given back removes such a row instead of adding a free one.';

-- migrate:down
drop table if exists assignment.seats;
