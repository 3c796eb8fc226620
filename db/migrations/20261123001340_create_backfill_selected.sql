-- The members that a transfer was asked to move, where it was asked for some only.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.backfill_selected (
  run_id uuid not null,
  member_id uuid not null,
  constraint backfill_selected_pkey primary key (run_id, member_id),
  constraint backfill_selected_run_id_fkey foreign key (run_id) references assignment.backfill_runs (id) on delete cascade
);

create index backfill_selected_member_id_idx on assignment.backfill_selected (member_id);

comment on table assignment.backfill_selected is 'Members that a transfer was asked to move, at most 1,000 for each run.';

-- migrate:down
drop table if exists assignment.backfill_selected;
