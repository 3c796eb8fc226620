-- Distributes the tables. What belongs to a member has the member's hash, in the same place as the member's row; what is
-- asked everywhere is on every node; everything else stays on the coordinator.
-- Locks: access exclusive on the tables named here, while their rows are copied.

-- No foreign key can lead from one shard to another: that of trainer_id goes.
alter table public.trainer_client_assignments
  drop constraint if exists trainer_client_assignments_trainer_id_fkey,
  drop constraint if exists trainer_client_assignments_client_id_fkey,
  drop constraint trainer_client_assignments_pkey;
alter table public.trainer_client_assignments
  add constraint trainer_client_assignments_pkey primary key (client_id, id);

-- Neither can one lead from a shard to a table of the coordinator.
alter table assignment.backfill_lanes drop constraint backfill_lanes_run_id_fkey;
alter table assignment.backfill_errors drop constraint backfill_errors_run_id_fkey;
alter table assignment.backfill_samples drop constraint backfill_samples_run_id_fkey;
alter table assignment.backfill_choices drop constraint backfill_choices_run_id_fkey;
alter table assignment.backfill_selected drop constraint backfill_selected_run_id_fkey;

-- For a while, so that each table is distributed by itself.
alter table assignment.policy_rules drop constraint policy_rules_version_fkey;

-- A run has a lane in each place where members are. What the lane counts commits with the rows, on the same node.
alter table assignment.backfill_lanes
  add column place uuid not null,
  drop constraint backfill_lanes_pkey,
  add constraint backfill_lanes_pkey primary key (run_id, lane, place);
alter table assignment.backfill_samples
  add column place uuid not null,
  drop constraint backfill_samples_pkey,
  add constraint backfill_samples_pkey primary key (run_id, at, lane, place);
alter table assignment.backfill_choices
  add column place uuid not null,
  drop constraint backfill_choices_pkey,
  add constraint backfill_choices_pkey primary key (run_id, lane, rule, trainer_id, place);

comment on column assignment.backfill_lanes.place is 'A uuid with a hash of the members whom the lane passes over.';

-- Free seats lie in the members' places, so that whoever signs up finds one on the same node. They are made anew at the end.
delete from assignment.seats;
alter table assignment.seats
  add column place uuid not null,
  drop constraint seats_pkey,
  add constraint seats_pkey primary key (trainer_id, is_overbooked, seat, place);
comment on column assignment.seats.place is 'A uuid with a hash of the members who may take the seat.';

create table assignment.full_trainers (trainer_id uuid not null, constraint full_trainers_pkey primary key (trainer_id));
comment on table assignment.full_trainers is
  'Trainers with a capacity who have no free seat in any place, or a client beyond it: no signup takes a seat of theirs.';

create table assignment.seat_changes (
  place uuid not null,
  id uuid not null default assignment.uuid_v7(),
  trainer_id uuid not null,
  is_given_back boolean not null,
  constraint seat_changes_pkey primary key (place, id)
);
comment on table assignment.seat_changes is
  'What places tell of their seats, until reopen_trainers has looked: one was given back, or a client is beyond the capacity.';

create table assignment.known_trainers (
  trainer_id uuid not null,
  is_member boolean not null,
  constraint known_trainers_pkey primary key (trainer_id)
);
comment on table assignment.known_trainers is 'Whom policies name as trainers, and whether they are members of whatever shard.';

create table assignment.trainers_looked_up (at timestamptz not null, constraint trainers_looked_up_pkey primary key (at));
insert into assignment.trainers_looked_up (at) values (now());
comment on table assignment.trainers_looked_up is 'When it was last looked whether known_trainers is right: one row.';

create table assignment.places (place uuid not null, constraint places_pkey primary key (place));
comment on table assignment.places is 'A uuid in each place where members are. Ask for them by find_places.';

-- What the shards must know of a run that is over, and of which the table stays on the coordinator.
create table assignment.runs_by_policy (
  run_id uuid not null,
  constraint runs_by_policy_pkey primary key (run_id)
);
insert into assignment.runs_by_policy (run_id) select r.id from assignment.backfill_runs r where r.policy_version is not null;
comment on table assignment.runs_by_policy is 'The runs that followed the policy.';

-- Where a run may have something left to do, on the coordinator, so that a step need not ask all shards.
create table assignment.backfill_places (
  run_id uuid not null,
  lane smallint not null,
  place uuid not null,
  is_open boolean not null default true,
  constraint backfill_places_pkey primary key (run_id, lane),
  constraint backfill_places_run_id_fkey foreign key (run_id) references assignment.backfill_runs (id) on delete cascade
);
comment on table assignment.backfill_places is
  'The places of a run''s lanes. Not open: the lane is done. What the shards say counts; this saves asking them.';

-- A row in each of a few shards, so that a query over it runs once on each node: there is one for each node at first.
create table assignment.nodes (id uuid not null, constraint nodes_pkey primary key (id));
comment on table assignment.nodes is 'What runs once for each row runs on each node. A node that came later has none.';

-- A member's id cannot change where rows are distributed by it.
drop trigger members_follow_id_after_update on public.members;

select create_reference_table('assignment.policies');
select create_reference_table('assignment.policy_rules');
select create_reference_table('assignment.trainers');
select create_reference_table('assignment.full_trainers');
select create_reference_table('assignment.known_trainers');
select create_reference_table('assignment.settings');
select create_reference_table('assignment.runs_by_policy');
alter table assignment.policy_rules
  add constraint policy_rules_version_fkey foreign key (version) references assignment.policies (version);

-- Citus copies what is there into the shards, and leaves it in the coordinator's own table as well, which no query reads: who
-- is deleted later would stay in it. So for members, if they are distributed here; our tables follow in the end (990).
do $$
begin
  if not exists (select from pg_dist_partition where logicalrelid = 'public.members'::regclass) then
    perform create_distributed_table('public.members', 'id');
    perform truncate_local_data_after_distributing_table('public.members');
  end if;
end;
$$;

select
  create_distributed_table('public.trainer_client_assignments', 'client_id', colocate_with => 'public.members'),
  create_distributed_table('assignment.places', 'place', colocate_with => 'public.members'),
  create_distributed_table('assignment.seats', 'place', colocate_with => 'public.members'),
  create_distributed_table('assignment.seat_changes', 'place', colocate_with => 'public.members'),
  create_distributed_table('assignment.failures', 'member_id', colocate_with => 'public.members'),
  create_distributed_table('assignment.backfill_errors', 'member_id', colocate_with => 'public.members'),
  create_distributed_table('assignment.backfill_selected', 'member_id', colocate_with => 'public.members'),
  create_distributed_table('assignment.backfill_lanes', 'place', colocate_with => 'public.members'),
  create_distributed_table('assignment.backfill_samples', 'place', colocate_with => 'public.members'),
  create_distributed_table('assignment.backfill_choices', 'place', colocate_with => 'public.members');

select set_config('citus.shard_count', (
  select greatest(count(*), 1)::text from pg_dist_node where noderole = 'primary' and isactive and shouldhaveshards
), true);
select create_distributed_table('assignment.nodes', 'id', colocate_with => 'none');
insert into assignment.nodes (id)
select distinct on (drawn.shard) drawn.id
from (
  select u.id, get_shard_id_for_distribution_column('assignment.nodes'::regclass, u.id) as shard
  from (
    select gen_random_uuid() as id
    from generate_series(1, 100 * (select count(*) from pg_dist_shard where logicalrelid = 'assignment.nodes'::regclass))
  ) as u
) as drawn;

-- Deleting a member deletes that member's assignments: both are in the same place.
alter table public.trainer_client_assignments
  add constraint trainer_client_assignments_client_id_fkey
    foreign key (client_id) references public.members (id) on delete cascade not deferrable;
