-- Checks of many members at once: one round trip to each node, which looks in its own shards. Citus itself would send each
-- shard a query with all ids.

create function assignment.check_shard(p_ids uuid[])
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set jit = off
  language plpgsql
as $$
begin
  return (
    select jsonb_agg(jsonb_build_array(a.client_id, a.trainer_id, a.id, a.assignment_date::text, a.source, a.notes) order by a.trainer_id)
    from public.trainer_client_assignments a
    where a.client_id = any (p_ids)
      and a.status = 'active'
  );
end;
$$;

create function assignment.check_here(p_ids uuid[])
  returns jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_part record;
  v_call text;
  v_rows jsonb;
  v_found jsonb := '[]';
  v_asked uuid[] := '{}';
begin
  for v_part in
    with here as materialized (
      select m.shardid, m.shardminvalue::integer as lowest, m.shardmaxvalue::integer as highest
      from pg_dist_shard m
      join pg_dist_placement p on p.shardid = m.shardid
      join pg_dist_local_group g on g.groupid = p.groupid
      where m.logicalrelid = 'public.members'::regclass
    )
    select here.shardid, array_agg(asked.id) as ids
    from unnest(p_ids) as asked (id)
    join here on uuid_hash(asked.id) between here.lowest and here.highest
    group by here.shardid
  loop
    v_call := format('select assignment_shards.check_shard_%s($1)', v_part.shardid);
    begin
      execute v_call into v_rows using v_part.ids;
    exception when undefined_function then
      perform assignment.make_shard_functions(v_part.shardid);
      execute v_call into v_rows using v_part.ids;
    end;
    v_found := v_found || coalesce(v_rows, '[]');
    v_asked := v_asked || v_part.ids;
  end loop;
  return jsonb_build_array(v_asked, v_found);
end;
$$;

comment on function assignment.check_here(uuid[]) is
  'Which of the members are in shards of this node, and their active assignments: client, trainer, id, date, source, notes.';

create function assignment.check_members(p_ids uuid[])
  returns setof jsonb
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query select assignment.check_here(p_ids) from assignment.nodes n;
end;
$$;

comment on function assignment.check_members(uuid[]) is
  'As check_here, a row for each node. A member whom no row names is to be asked for in the ordinary way.';

alter function assignment.grant_service(name, name[]) rename to grant_service_here;

create function assignment.grant_service(p_role name, p_columns name[] default null)
  returns void
  volatile
  security invoker
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.grant_service_here(p_role, p_columns);
  execute format(
    'grant execute on function assignment.check_members(uuid[]), assignment.count_lanes(uuid), assignment.list_choices(uuid),
       assignment.list_rule_names(integer), assignment.list_samples(uuid), assignment.find_trigger_state(),
       assignment.find_node_places(), assignment.prepare_nodes(),
       assignment.collect_notes(uuid, integer), assignment.drop_notes(uuid, jsonb) to %I',
    p_role
  );
  begin
    -- Else Citus opens more connections, of one statement each, whenever a node takes longer than 10 ms.
    execute format('alter role %I set citus.max_adaptive_executor_pool_size = 1', p_role);
  exception when insufficient_privilege then
    raise notice 'have a superuser run: alter role % set citus.max_adaptive_executor_pool_size = 1', quote_ident(p_role);
  end;
end;
$$;
