-- Who trains whom. The service never deletes rows: an assignment ends by becoming inactive.
-- Locks: share row exclusive on public.members for the foreign keys (blocks writers briefly; given up after 5 s).
-- Reversible; the down drops the assignments (access exclusive on both tables, given up after 5 s).

-- migrate:up
set local lock_timeout = '5s';

create table public.trainer_client_assignments (
  id uuid not null default assignment.uuid_v7(),
  trainer_id uuid,
  client_id uuid not null,
  assignment_date timestamptz not null default now(),
  status text not null default 'active',
  notes text,
  source text not null default 'manual',
  backfill_run_id uuid,
  policy_version integer,
  rule smallint,
  assigned_by text not null default current_user,
  ended_at timestamptz,
  ended_by text,
  ended_because text,
  ended_run_id uuid,
  constraint trainer_client_assignments_pkey primary key (id),
  -- Not deferrable: a deferred key fails at COMMIT, too late for the trigger to catch the error and save the signup.
  -- Deleting a member deletes that member's own assignments, and leaves those of former clients without a trainer; a trainer
  -- with active ones cannot be deleted. Changing a member's id changes it here too.
  constraint trainer_client_assignments_trainer_id_fkey
    foreign key (trainer_id) references public.members (id) on update cascade on delete set null not deferrable,
  constraint trainer_client_assignments_client_id_fkey
    foreign key (client_id) references public.members (id) on update cascade on delete cascade not deferrable,
  constraint status_is_known check (status in ('active', 'inactive')),
  constraint active_has_trainer check (trainer_id is not null or status = 'inactive'),
  constraint source_is_known check (source in ('trigger', 'retry', 'backfill', 'transfer', 'manual', 'signup')),
  constraint ended_because_is_known check (ended_because in ('manual', 'transfer', 'reassign', 'direct')),
  constraint trainer_is_not_client check (trainer_id <> client_id)
);

-- Guarantees one active assignment for a pair. Also serves the check, as an index-only scan.
create unique index trainer_client_assignments_active_key
  on public.trainer_client_assignments (client_id, trainer_id)
  where status = 'active';

-- Serves the list of a trainer's clients by status, in order of id, and the foreign key when a member is deleted.
create index trainer_client_assignments_trainer_id_status_id_idx
  on public.trainer_client_assignments (trainer_id, status, id);

-- Serves a member's history, the search for ended assignments, and the foreign key when a member is deleted.
create index trainer_client_assignments_client_id_status_idx
  on public.trainer_client_assignments (client_id, status);

comment on table public.trainer_client_assignments is
  'Which trainer has which client. A pair has at most one active row; inactive rows are its history.';
comment on column public.trainer_client_assignments.id is 'UUID version 7. Grows with time, so lists are paged by it.';
comment on column public.trainer_client_assignments.trainer_id is
  'The member who trains. Null: a trainer of former times, who is no longer a member.';
comment on column public.trainer_client_assignments.client_id is 'The member who is trained.';
comment on column public.trainer_client_assignments.assignment_date is 'When the row was inserted.';
comment on column public.trainer_client_assignments.status is 'active, or inactive (ended).';
comment on column public.trainer_client_assignments.notes is 'Free text of whoever assigned.';
comment on column public.trainer_client_assignments.source is
  'What assigned: trigger, retry (of a failed trigger), backfill, transfer, manual (an admin), signup (a program).';
comment on column public.trainer_client_assignments.backfill_run_id is
  'The run that inserted the row. No foreign key: it would look up the same run again for every row.';
comment on column public.trainer_client_assignments.policy_version is
  'The version of the policy that chose the trainer. Null: the caller named the trainer.';
comment on column public.trainer_client_assignments.rule is
  'The rule of that version, by its position from 1. Null: the default trainer, or a trainer that the caller named.';
comment on column public.trainer_client_assignments.assigned_by is
  'Who assigned: the caller''s name, who started the run, trigger, retry, or the database role of another program.';
comment on column public.trainer_client_assignments.ended_at is 'When the assignment became inactive.';
comment on column public.trainer_client_assignments.ended_by is
  'Who ended it: as assigned_by. Null: active.';
comment on column public.trainer_client_assignments.ended_because is
  'manual (an admin), transfer, reassign (the policy chose another trainer), direct (a change past the service).';
comment on column public.trainer_client_assignments.ended_run_id is 'The run that ended it, for transfer and reassign.';

select assignment.close_table('public.trainer_client_assignments');

-- migrate:down
set local lock_timeout = '5s';

-- A table of this name without this column belongs to the application (the up failed because of it) and is kept.
do $$
begin
  if exists (
    select
    from pg_attribute
    where attrelid = to_regclass('public.trainer_client_assignments')
      and attname = 'backfill_run_id'
      and not attisdropped
  ) then
    drop table public.trainer_client_assignments;
  end if;
end;
$$;
