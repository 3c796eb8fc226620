-- The members that a run could not assign.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.backfill_errors (
  run_id uuid not null,
  member_id uuid not null,
  sqlstate text not null,
  message text not null,
  constraint backfill_errors_pkey primary key (run_id, member_id),
  constraint backfill_errors_run_id_fkey foreign key (run_id) references assignment.backfill_runs (id) on delete cascade
);

create index backfill_errors_member_id_idx on assignment.backfill_errors (member_id);

comment on table assignment.backfill_errors is
  'Members that a run could not assign, with the error. At most 10,000 for each run.';

-- migrate:down
drop table if exists assignment.backfill_errors;
