-- The time slots of the scheduled reconciliation. The primary key lets one replica claim each slot.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.reconciliations (
  slot timestamptz not null,
  claimed_at timestamptz not null default now(),
  run_id uuid,
  constraint reconciliations_pkey primary key (slot)
);

comment on table assignment.reconciliations is 'The slots of the schedule that were claimed, and the run that each started.';
comment on column assignment.reconciliations.run_id is 'Null: a run was under way already, or none could be started.';

-- migrate:down
drop table if exists assignment.reconciliations;
