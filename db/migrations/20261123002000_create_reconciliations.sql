-- The time slots of the scheduled reconciliation. The primary key lets one replica claim each slot.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.reconciliations (
  slot timestamptz not null,
  claimed_at timestamptz not null default now(),
  run_id uuid,
  repaired_seats integer,
  constraint reconciliations_pkey primary key (slot)
);

comment on table assignment.reconciliations is 'Claimed slots of the schedule, each with the run that it started.';
comment on column assignment.reconciliations.slot is 'The time of the schedule that the run is for.';
comment on column assignment.reconciliations.run_id is 'Null: another run was running already, so none was started.';
comment on column assignment.reconciliations.repaired_seats is 'By how many seats trainers with a capacity were out of step.';

-- migrate:down
drop table if exists assignment.reconciliations;
