-- Members processed in each second, for the rate of a run and the time it still needs.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.backfill_samples (
  run_id uuid not null,
  lane smallint not null,
  at timestamptz not null,
  processed integer not null,
  constraint backfill_samples_pkey primary key (run_id, at, lane),
  constraint backfill_samples_run_id_fkey foreign key (run_id) references assignment.backfill_runs (id) on delete cascade
);

comment on table assignment.backfill_samples is 'Throughput of a run: members processed in each second and lane.';

-- migrate:down
drop table if exists assignment.backfill_samples;
