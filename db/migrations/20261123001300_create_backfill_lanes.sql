-- The lanes of a run. Each has a range of member ids, a cursor and counters, so that lanes can work side by side.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.backfill_lanes (
  run_id uuid not null,
  lane smallint not null,
  next_id uuid not null,
  upper_id uuid not null,
  includes_upper boolean not null default false,
  done boolean not null default false,
  batch_rows integer not null default 2000,
  recent_row_us real[] not null default '{}',
  successful bigint not null default 0,
  already_assigned bigint not null default 0,
  ended bigint not null default 0,
  is_trainer bigint not null default 0,
  member_gone bigint not null default 0,
  excluded bigint not null default 0,
  not_selected bigint not null default 0,
  failed bigint not null default 0,
  constraint backfill_lanes_pkey primary key (run_id, lane),
  constraint backfill_lanes_run_id_fkey foreign key (run_id) references assignment.backfill_runs (id) on delete cascade
);

-- Finds the cursors that are the ids of deleted members.
create index backfill_lanes_next_id_idx on assignment.backfill_lanes (next_id) where not done;

comment on table assignment.backfill_lanes is
  'Parts of a run: each lane is a separate range of ids: of members, or of the assignments that a transfer ends.
A step locks one lane, so lanes can run in parallel.';
comment on column assignment.backfill_lanes.lane is
  'Numbered from 1. Lane 0 counts members that the run missed and its proof found.';
comment on column assignment.backfill_lanes.next_id is 'The cursor: where the next batch begins.';
comment on column assignment.backfill_lanes.upper_id is
  'Where the lane ends: of a backfill a round id, which need not be a member''s.
Fixed at the start, so that the run ends although members are inserted meanwhile.';
comment on column assignment.backfill_lanes.includes_upper is
  'Whether upper_id belongs to the lane: only in the last one. The others end before it, where the next lane begins.';
comment on column assignment.backfill_lanes.batch_rows is 'Rows of the next batch, unless the run has a fixed number.';
comment on column assignment.backfill_lanes.recent_row_us is
  'Microseconds for each row in the last 20 batches, newest last.';
comment on column assignment.backfill_lanes.already_assigned is 'Skipped: had an active assignment to the trainer.';
comment on column assignment.backfill_lanes.ended is 'Skipped: an assignment to the trainer was ended.';
comment on column assignment.backfill_lanes.is_trainer is 'Skipped: the trainer.';
comment on column assignment.backfill_lanes.member_gone is 'Skipped: no longer a member.';
comment on column assignment.backfill_lanes.not_selected is
  'Skipped by a transfer: does not match its condition, or is not a client of the trainer (any more).';
comment on column assignment.backfill_lanes.excluded is 'Skipped: a rule chooses nobody.';

-- migrate:down
drop table if exists assignment.backfill_lanes;
