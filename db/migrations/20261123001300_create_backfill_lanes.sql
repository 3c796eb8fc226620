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
  failed bigint not null default 0,
  constraint backfill_lanes_pkey primary key (run_id, lane),
  constraint backfill_lanes_run_id_fkey foreign key (run_id) references assignment.backfill_runs (id) on delete cascade
);

comment on table assignment.backfill_lanes is
  'A disjoint range of member ids of a run. Steps lock a lane, so as many steps run at once as there are free lanes.';
comment on column assignment.backfill_lanes.lane is 'From 1. Lane 0 counts the stragglers that the closing proof finds.';
comment on column assignment.backfill_lanes.next_id is 'The cursor: the first id that is not processed yet.';
comment on column assignment.backfill_lanes.upper_id is 'Where the lane ends; frozen at the start, so that a run ends under inserts.';
comment on column assignment.backfill_lanes.includes_upper is 'Of the last lane: the others end before their upper_id, where the next begins.';
comment on column assignment.backfill_lanes.recent_row_us is 'Microseconds a row of the last 20 batches, the newest last.';

-- migrate:down
drop table if exists assignment.backfill_lanes;
