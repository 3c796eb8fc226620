-- The history of each run: every change of its status.
-- Locks: none. Reversible; the down drops the history.

-- migrate:up
create table assignment.backfill_events (
  id bigint not null generated always as identity,
  run_id uuid not null,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  from_status text,
  to_status text not null,
  reason text,
  constraint backfill_events_pkey primary key (id),
  constraint backfill_events_run_id_fkey foreign key (run_id) references assignment.backfill_runs (id) on delete cascade
);

create index backfill_events_run_id_idx on assignment.backfill_events (run_id, id);

comment on table assignment.backfill_events is
  'Every change of a run''s status: when, who, from which status to which, and why.';
comment on column assignment.backfill_events.from_status is 'Null: the run started.';

-- migrate:down
drop table if exists assignment.backfill_events;
