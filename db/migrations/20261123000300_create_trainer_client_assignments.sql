-- Who trains whom. Rows are never deleted by this service: an assignment ends by becoming inactive.
-- Locks: share row exclusive on public.members for the foreign keys (writers wait while it is taken; given up after 5 s).
-- Reversible; the down drops the assignments (access exclusive on both tables, given up after 5 s).

-- migrate:up
set local lock_timeout = '5s';

create table public.trainer_client_assignments (
  id uuid not null default assignment.uuid_v7(),
  trainer_id uuid not null,
  client_id uuid not null,
  assignment_date timestamptz not null default now(),
  status text not null default 'active',
  notes text,
  source text not null default 'manual',
  backfill_run_id uuid,
  ended_at timestamptz,
  constraint trainer_client_assignments_pkey primary key (id),
  -- Immediate, for a deferred key would fail at COMMIT, where no handler of ours can save the signup.
  -- A trainer with assignments cannot be deleted; a member who is deleted takes their own assignments along.
  -- A member whose id is changed keeps them: the application may change ids as before.
  constraint trainer_client_assignments_trainer_id_fkey
    foreign key (trainer_id) references public.members (id) on update cascade not deferrable,
  constraint trainer_client_assignments_client_id_fkey
    foreign key (client_id) references public.members (id) on update cascade on delete cascade not deferrable,
  constraint status_is_known check (status in ('active', 'inactive')),
  constraint source_is_known check (source in ('trigger', 'retry', 'backfill', 'manual', 'signup')),
  constraint trainer_is_not_client check (trainer_id <> client_id)
);

-- The idempotency guarantee; also serves the check, from the index alone.
create unique index trainer_client_assignments_active_key
  on public.trainer_client_assignments (client_id, trainer_id)
  where status = 'active';

-- Serves the list of a trainer's clients by status, in key order, and the foreign key when a member is deleted.
create index trainer_client_assignments_trainer_id_status_id_idx
  on public.trainer_client_assignments (trainer_id, status, id);

-- Serves a member's history, the search for ended assignments, and the foreign key when a member is deleted.
create index trainer_client_assignments_client_id_status_idx
  on public.trainer_client_assignments (client_id, status);

comment on table public.trainer_client_assignments is
  'Which trainer has which client. At most one active row for a pair; ended ones stay as history.';
comment on column public.trainer_client_assignments.id is 'UUID version 7: grows with time, so that lists page by it.';
comment on column public.trainer_client_assignments.trainer_id is 'The member who trains.';
comment on column public.trainer_client_assignments.client_id is 'The member who is trained.';
comment on column public.trainer_client_assignments.status is 'active or inactive.';
comment on column public.trainer_client_assignments.source is
  'What assigned: trigger, retry (of a failed trigger), backfill, manual (an admin), signup (a program).';
comment on column public.trainer_client_assignments.backfill_run_id is
  'The backfill run that made the row. No foreign key: it would cost every row a look-up of the same run.';
comment on column public.trainer_client_assignments.ended_at is 'When the assignment became inactive through this service.';

select assignment.close_table('public.trainer_client_assignments');

-- migrate:down
set local lock_timeout = '5s';

-- An application's own table of the name, because of which the up failed, has no such column and is kept.
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
