-- The policy is on every node. Members are not, so that a shard asks the others who is a member.

create or replace function assignment.find_members(p_ids uuid[])
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  set citus.allow_nested_distributed_execution = on  -- it only looks whether the ids are there
  language plpgsql
as $$
declare
  v_found uuid[];
begin
  -- All members, and not those of the shard: make_shard_functions does not see this name.
  execute format('select array(select m.id from %I.%I m where m.id = any ($1))', 'public', 'members') into v_found using p_ids;
  return v_found;
exception when insufficient_privilege then
  return p_ids;
end;
$$;

alter function assignment.explain_decision(uuid) rename to explain_decision_here;

create function assignment.explain_shard(p_member_id jsonb)
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return assignment.explain_decision_here((p_member_id #>> '{}')::uuid);
end;
$$;

create function assignment.explain_decision(p_member_id uuid)
  returns jsonb
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_argument jsonb := to_jsonb(p_member_id);
  v_decision jsonb;
begin
  select assignment.on_shard(m.tableoid, 'explain_shard', v_argument) into v_decision
  from public.members m
  where m.id = p_member_id;
  if not found then
    raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
  end if;
  return v_decision;
end;
$$;

-- It looks for trainers in all shards before it writes to tables that are on all nodes.
alter function assignment.put_policy(jsonb, text, text, integer, text) set citus.multi_shard_modify_mode = 'sequential';
-- So does this grant on both.
alter function assignment.grant_service(name, name[]) set citus.multi_shard_modify_mode = 'sequential';

-- What is not possible where members are distributed says so.
create function assignment.refuse_on_shards(p_what text)
  returns void
  immutable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  raise exception '% where members are distributed', p_what using errcode = 'TA023';
end;
$$;

alter function assignment.change_trainer(uuid, jsonb, text, text) rename to change_trainer_here;

create function assignment.change_trainer(p_trainer_id uuid, p_change jsonb, p_actor text, p_request_id text default null)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
begin
  if p_change ->> 'capacity' is not null then
    perform assignment.refuse_on_shards('a trainer can have no capacity');
  end if;
  perform assignment.change_trainer_here(p_trainer_id, p_change, p_actor, p_request_id);
end;
$$;

create or replace function assignment.settle_seats(p_trainer_id uuid)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return 0;  -- no trainer has a capacity
end;
$$;

create or replace function assignment.settle_all_seats()
  returns table (trainer_id uuid, missing integer)
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return;  -- no trainer has a capacity
end;
$$;

-- Dry runs say it, shard by shard.
create or replace function assignment.preview_policy(p_document jsonb, p_percent real default 100)
  returns jsonb
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.refuse_on_shards('a policy cannot be previewed');
end;
$$;

create or replace function assignment.preview_transfer(
  p_from_trainer_id uuid,
  p_trainer_id uuid default null,
  p_member_ids uuid[] default null,
  p_condition jsonb default null,
  p_max_clients integer default 10000,
  p_listed integer default 50
)
  returns jsonb
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.refuse_on_shards('a transfer cannot be previewed');
end;
$$;
