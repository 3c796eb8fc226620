-- The capacity of trainers, and whether they accept clients.
-- Locks: none. Reversible; the down drops the capacities.

-- migrate:up
create table assignment.trainers (
  trainer_id uuid not null,
  capacity integer,
  accepts_clients boolean not null default true,
  note text,
  updated_at timestamptz not null default now(),
  updated_by text,
  constraint trainers_pkey primary key (trainer_id),
  constraint capacity_is_bounded check (capacity between 0 and 100000)
);

comment on table assignment.trainers is
  'Settings of trainers. A trainer without a row has no limit. No foreign key: deleting a member must not fail here.';
comment on column assignment.trainers.capacity is
  'The most active clients that this service assigns, unless an admin forces more. Null: no limit.';
comment on column assignment.trainers.accepts_clients is 'False: only an admin can assign further clients, by force.';

-- migrate:down
drop table if exists assignment.trainers;
