-- The time slots of the scheduled reconciliation. The primary key lets one replica claim each slot.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.reconciliations (
  slot timestamptz not null,
  claimed_at timestamptz not null default now(),
  run_id uuid,
  constraint reconciliations_pkey primary key (slot)
);

comment on table assignment.reconciliations is 'Claimed slots of the schedule, each with the run that it started.';
comment on column assignment.reconciliations.slot is 'The time of the schedule that the run is for.';
comment on column assignment.reconciliations.run_id is 'Null: another run was running already, so none was started.';

-- migrate:down
drop table if exists assignment.reconciliations;
