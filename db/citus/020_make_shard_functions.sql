-- A shard is a small database of its own: what happens to its members happens on its node, in one transaction, by the same
-- functions as on one server. They only need the names of its tables: members_102008 for members. So a node has, for each
-- shard, copies of the functions with these names, and makes them when it first needs them; after a shard was moved or split,
-- or a node was added, nothing is to be done.

create schema assignment_shards;

-- The row of a run. The table stays on the coordinator, and with it what takes its rows; so those functions exist for this
-- type as well, on every node.
create type assignment.backfill_run as (
  id uuid,
  kind text,
  from_trainer_id uuid,
  trainer_id uuid,
  policy_version integer,
  dry_run boolean,
  reassigns boolean,
  condition jsonb,
  batch_rows integer,
  retry_of uuid,
  only_failed boolean,
  only_selected boolean,
  requested_by text,
  notes text
);

do $$
declare
  v_definition text;
begin
  for v_definition in
    select pg_get_functiondef(p.oid)
    from pg_proc p
    where p.pronamespace = 'assignment'::regnamespace
      and 'assignment.backfill_runs'::regtype = any (p.proargtypes)
  loop
    execute regexp_replace(v_definition, '\massignment\.backfill_runs\M', 'assignment.backfill_run', 'g');
  end loop;

  -- Citus has sent no function to the nodes that takes rows of a table which was not there yet.
  for v_definition in
    select pg_get_functiondef(p.oid)
    from pg_proc p
    where p.pronamespace = 'assignment'::regnamespace
      and p.oid not in (select o.objid from pg_dist_object o where o.classid = 'pg_proc'::regclass)
  loop
    execute v_definition;
  end loop;
end;
$$;

create function assignment.shard_names(p_shard bigint)
  returns table (name text, shard_name text)
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select p.logicalrelid::regclass::text, format('%s_%s', p.logicalrelid::regclass, s.shardid)
  from pg_dist_shard of_members
  join pg_dist_partition members on members.logicalrelid = of_members.logicalrelid
  join pg_dist_partition p on p.partmethod = 'n' or p.colocationid = members.colocationid
  join pg_dist_shard s on s.logicalrelid = p.logicalrelid
  where of_members.shardid = p_shard
    and (p.partmethod = 'n' or s.shardminvalue = of_members.shardminvalue)
    and p.logicalrelid::regclass::text ~ '^(assignment\.\w+|public\.members|public\.trainer_client_assignments)$'
  union all
  values ('assignment.backfill_runs', 'assignment.backfill_run')
$$;

comment on function assignment.shard_names(bigint) is
  'The tables of a shard of members: the shards in the same place, and what is on every node.';

create function assignment.make_shard_functions(p_shard bigint)
  returns void
  volatile
  strict
  security definer
  set search_path = pg_catalog, pg_temp
  set citus.enable_ddl_propagation = off
  set check_function_bodies = off
  language plpgsql
as $$
declare
  v_tries integer := 0;
  v_function record;
  v_definition text;
  v_name record;
begin
  -- A shard has rows a little before its node knows which tables it is made of. And two sessions may need the functions at
  -- once, of which one may make them in a transaction that stays open.
  while not exists (
    select from pg_dist_shard s where s.shardid = p_shard and s.logicalrelid = 'public.members'::regclass
  ) or not pg_try_advisory_xact_lock(hashtextextended('trainer assignment: functions of a shard', p_shard)) loop
    if v_tries = 20 then
      raise exception 'the functions of shard % cannot be made now', p_shard using errcode = '55P03';
    end if;
    perform pg_sleep(0.05);
    v_tries := v_tries + 1;
  end loop;

  for v_function in
    with recursive definitions as materialized (
      select p.proname::text as name, pg_get_functiondef(p.oid) as definition
      from pg_proc p
      where p.pronamespace = 'assignment'::regnamespace
        and p.prokind = 'f'
    ),
    calls as materialized (
      select distinct d.name as caller, call[1] as callee
      from definitions d
      cross join regexp_matches(d.definition, '\massignment\.(\w+)\(', 'g') as call
    ),
    needed (name) as (
      select unnest(array[
        'add_seats', 'assign_new', 'assign_shard', 'check_shard', 'choose_shard', 'count_seats', 'draft_shard', 'end_shard',
        'estimate_shard', 'explain_shard', 'forget_shard', 'keep_seats', 'preview_shard', 'record_shard', 'release_seats',
        'retry_shard', 'signup_shard', 'step_shard', 'sweep_shard'
      ])
      union
      select c.callee
      from needed n
      join calls c on c.caller = n.name
      where c.callee !~ '^grant_service'  -- a hint names it
    ),
    bound (name) as (  -- to the shard: by a table, or by another function that is
      select d.name
      from definitions d
      where d.definition ~ (
        select '\m(' || string_agg(replace(t.name, '.', '\.'), '|') || ')\M' from assignment.shard_names(p_shard) t
      )
      union
      select c.caller from bound b join calls c on c.callee = b.name and c.caller <> b.name
    )
    select
      d.name,
      d.definition,
      array(
        select c.callee from calls c where c.caller = d.name and c.callee in (select b.name from bound b)
      ) as callees
    from definitions d
    where d.name in (select n.name from needed n)
      and d.name in (select b.name from bound b)
      -- When a shard leaves, the functions go that take rows of its tables.
      and not exists (
        select
        from pg_proc p
        where p.pronamespace = 'assignment_shards'::regnamespace
          and p.proname = format('%s_%s', d.name, p_shard)
      )
  loop
    -- A function calls its parameters by its own name.
    v_definition := regexp_replace(
      v_function.definition, format('\m%s\.(?=\w)', v_function.name), format('%s_%s.', v_function.name, p_shard), 'g'
    );
    for v_name in select * from assignment.shard_names(p_shard) loop
      v_definition := regexp_replace(
        v_definition, '\m' || replace(v_name.name, '.', '\.') || '\M', v_name.shard_name, 'g'
      );
    end loop;
    v_definition := regexp_replace(
      v_definition, '\massignment\.(' || array_to_string(v_function.callees, '|') || ')\(',
      format('assignment_shards.\1_%s(', p_shard), 'g'
    );
    execute v_definition;
  end loop;
end;
$$;

comment on function assignment.make_shard_functions(bigint) is
  'Makes, on this node, the copies that are missing of the functions that work on a shard of members, such as
assignment_shards.assign_new_102008. Raises 55P03 while another transaction does so, or the node does not know the shard, for
1 s.';
