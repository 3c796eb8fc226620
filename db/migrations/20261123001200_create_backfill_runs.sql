-- Runs: backfills and transfers. The database owns their state, so that any replica can start, drive them and change their status.
-- Locks: none. Reversible; the down drops the history of runs.

-- migrate:up
create table assignment.backfill_runs (
  id uuid not null default assignment.uuid_v7(),
  kind text not null default 'backfill',
  from_trainer_id uuid,
  trainer_id uuid,
  policy_version integer,
  status text not null default 'running',
  status_changed_by text not null,
  status_reason text,
  status_request_id text,
  dry_run boolean not null default false,
  reassigns boolean not null default false,
  condition jsonb,
  only_selected boolean not null default false,
  notes text,
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
  constraint kind_is_known check (kind in ('backfill', 'transfer')),
  constraint from_trainer_belongs_to_transfer check ((from_trainer_id is not null) = (kind = 'transfer')),
  constraint selection_belongs_to_transfer check (kind = 'transfer' or (condition is null and not only_selected and notes is null)),
  constraint reassigning_belongs_to_policy check (not reassigns or (kind = 'backfill' and trainer_id is null)),
  constraint trainer_or_policy_is_known check (trainer_id is not null or policy_version is not null),
  constraint status_is_known check (status in ('running', 'paused', 'cancelled', 'succeeded', 'completed_with_errors')),
  constraint finished_at_belongs_to_ended check ((finished_at is null) = (status in ('running', 'paused'))),
  constraint batch_rows_is_bounded check (batch_rows between 1 and 20000),
  constraint only_failed_is_a_retry check (not only_failed or retry_of is not null)
);

-- However many callers start a backfill for a trainer or by the policy, or a transfer from a trainer, at once, one run starts.
create unique index backfill_runs_active_key
  on assignment.backfill_runs (kind, coalesce(from_trainer_id, trainer_id, '00000000-0000-0000-0000-000000000000'))
  where status in ('running', 'paused');

comment on table assignment.backfill_runs is
  'Runs. A backfill passes over all members and assigns those whom its trainer, or its policy, lacks. A transfer passes over the
clients of one trainer and gives them to others.';
comment on column assignment.backfill_runs.kind is 'backfill or transfer.';
comment on column assignment.backfill_runs.from_trainer_id is 'Of a transfer: the trainer whose clients it moves.';
comment on column assignment.backfill_runs.trainer_id is
  'The trainer of all assignments that the run makes. Null: the policy chooses.';
comment on column assignment.backfill_runs.policy_version is
  'The version of the policy that the run began with and keeps. Null: the caller named the trainer.';
comment on column assignment.backfill_runs.status is
  'running, paused, cancelled, succeeded, or completed_with_errors. The last three end the run.';
comment on column assignment.backfill_runs.status_changed_by is
  'Who set the current status. Set it with every change of status.';
comment on column assignment.backfill_runs.status_reason is 'Why the status changed. Null: no reason was given.';
comment on column assignment.backfill_runs.status_request_id is
  'The HTTP request that set the current status. Null: none.';
comment on column assignment.backfill_runs.reassigns is
  'Also replaces what a policy chose and would no longer choose. What a person assigned stays.';
comment on column assignment.backfill_runs.condition is
  'Of a transfer: moves only clients who match it, as in a rule. Null: all.';
comment on column assignment.backfill_runs.only_selected is
  'Of a transfer: moves only the clients in backfill_selected.';
comment on column assignment.backfill_runs.notes is
  'Of a transfer: the notes of the new assignments. Null: those of the ended ones.';
comment on column assignment.backfill_runs.dry_run is 'Only counts what a real run would do, and assigns nobody.';
comment on column assignment.backfill_runs.batch_rows is
  'Fixed number of rows in a batch. Null: adapted to the speed of the database.';
comment on column assignment.backfill_runs.retry_of is 'The ended run that this run retries.';
comment on column assignment.backfill_runs.only_failed is
  'Processes only the members in backfill_errors of retry_of, instead of all members.';
comment on column assignment.backfill_runs.requested_by is 'Who started the run.';
comment on column assignment.backfill_runs.total is
  'Members to process: counted up to one million, estimated above, exact once the run has ended.';
comment on column assignment.backfill_runs.remaining is
  'The proof at the end: members without an assignment and without a recorded error. Null: not ended yet.';
comment on column assignment.backfill_runs.sweeps is
  'Batches of missed members that the proof found and the run then assigned.';
comment on column assignment.backfill_runs.tries is
  'Consecutive failed steps. Lanes that fail simultaneously count once.';
comment on column assignment.backfill_runs.throttled_because is
  'Why the run waits, to spare the database. Null: it does not wait.';
comment on column assignment.backfill_runs.replica_lag is
  'The last measurement: a time, none, or unavailable (no permission). Null: not measured yet.';
comment on column assignment.backfill_runs.lock_waiters is
  'Sessions that waited for locks on members or assignments at the last measurement. Null: not measured yet.';
comment on column assignment.backfill_runs.start_traceparent is
  'W3C trace context of the request that started the run. The spans of its steps link to it. Null: not traced.';
comment on column assignment.backfill_runs.resume_traceparent is
  'W3C trace context of the request that last resumed the run. Null: not resumed, or not traced.';

-- migrate:down
drop table if exists assignment.backfill_runs;
