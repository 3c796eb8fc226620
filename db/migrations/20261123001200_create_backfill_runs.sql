-- Backfill runs. The database owns their state, so that any replica can start, drive and steer them.
-- Locks: none. Reversible; the down drops the history of runs.

-- migrate:up
create table assignment.backfill_runs (
  id uuid not null default assignment.uuid_v7(),
  trainer_id uuid not null,
  status text not null default 'running',
  status_changed_by text not null,
  status_reason text,
  dry_run boolean not null default false,
  batch_rows integer,
  retry_of uuid,
  only_failed boolean not null default false,
  requested_by text not null,
  requested_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  total bigint not null default 0,
  total_is_estimate boolean not null default false,
  remaining bigint,
  sweeps smallint not null default 0,
  tries smallint not null default 0,
  throttled_because text,
  replica_lag text,
  lock_waiters text,
  start_traceparent text,
  resume_traceparent text,
  constraint backfill_runs_pkey primary key (id),
  constraint backfill_runs_retry_of_fkey foreign key (retry_of) references assignment.backfill_runs (id),
  constraint status_is_known check (status in ('running', 'paused', 'cancelled', 'succeeded', 'completed_with_errors')),
  constraint finished_at_belongs_to_ended check ((finished_at is null) = (status in ('running', 'paused'))),
  constraint batch_rows_is_bounded check (batch_rows between 1 and 20000),
  constraint only_failed_is_a_retry check (not only_failed or retry_of is not null)
);

-- Fifty concurrent starts make one run.
create unique index backfill_runs_active_key
  on assignment.backfill_runs (trainer_id)
  where status in ('running', 'paused');

comment on table assignment.backfill_runs is 'One pass over all members, that assigns whoever lacks this trainer.';
comment on column assignment.backfill_runs.status_changed_by is 'Who brought the run into its status; set it with every change.';
comment on column assignment.backfill_runs.status_reason is 'Why, where there is more to say than who.';
comment on column assignment.backfill_runs.batch_rows is 'Pins the rows a batch. Null: adapted to the batches'' times.';
comment on column assignment.backfill_runs.only_failed is 'Walks the recorded errors of retry_of instead of all members.';
comment on column assignment.backfill_runs.total is 'Members to look at: counted up to a million, estimated above, exact at the end.';
comment on column assignment.backfill_runs.remaining is 'The proof: members left without an assignment and not recorded as failed. Null until the end.';
comment on column assignment.backfill_runs.sweeps is 'Batches of stragglers that the proof found and the run then assigned.';
comment on column assignment.backfill_runs.tries is 'Steps that failed as a whole, in a row; lanes that fail at once count once.';
comment on column assignment.backfill_runs.throttled_because is 'Why the run waits for the database''s sake. Null: it does not.';
comment on column assignment.backfill_runs.replica_lag is
  'What the probe saw last: a time, none, or unavailable for want of permission. Null: not looked yet.';
comment on column assignment.backfill_runs.lock_waiters is 'How many sessions waited for locks on the two tables.';
comment on column assignment.backfill_runs.start_traceparent is
  'W3C trace context of the request that started the run, to which the spans of its steps link, in whichever replica. Null: not traced.';
comment on column assignment.backfill_runs.resume_traceparent is 'The same of the request that resumed it last.';

-- migrate:down
drop table if exists assignment.backfill_runs;
