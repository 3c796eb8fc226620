-- How the coordinator has something done on a shard, and tells it what is in other places.

create function assignment.call_shard(p_shard bigint, p_function text, p_argument jsonb, p_told jsonb default '{}')
  returns jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  set jit = off  -- Citus passes no session's setting on
  language plpgsql
as $$
declare
  v_call text := format('select to_jsonb(assignment_shards.%I($1))', format('%s_%s', p_function, p_shard));
  v_told text := coalesce(current_setting('assignment.told', true), '');  -- of the call that this one is part of
  v_result jsonb;
begin
  for v_try in 1..2 loop
    begin
      perform set_config('assignment.told', p_told::text, true);
      if p_told -> 'brought' <> '{}' then
        execute format('select assignment_shards.add_seats_%s($1)', p_shard) using p_told -> 'brought';
      end if;
      execute v_call into v_result using p_argument;
      perform set_config('assignment.told', v_told, true);
      return v_result;
    exception
      when undefined_function then
        if v_try = 2 then
          raise;
        elsif current_setting('transaction_read_only')::boolean then
          return jsonb_build_object('lacking', format('the functions of shard %s', p_shard));
        end if;
        perform assignment.make_shard_functions(p_shard);
      when sqlstate 'TA023' then
        return jsonb_build_object('lacking', sqlerrm);
    end;
  end loop;
end;
$$;

comment on function assignment.call_shard(bigint, text, jsonb, jsonb) is
  'Calls a function for a shard of members that is on this node, and makes the shard''s functions first where they are missing.
p_told: what the coordinator knows of other places. brought: seats to add here first, for each trainer; exhausted: trainers of
whom no other place has a free seat; free: the free seats of all places, for each trainer, in place of those here; members,
strangers: ids that are members, or are not. What the function did is undone where it has to know more of them (TA023): the
result is then {"lacking": the message of the error}.';

create function assignment.on_shard(p_table oid, p_function text, p_argument jsonb, p_told jsonb default '{}')
  returns jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_shard bigint;
begin
  select m.shardid into v_shard
  from pg_dist_shard s
  join pg_dist_shard m on m.shardminvalue = s.shardminvalue and m.logicalrelid = 'public.members'::regclass
  where s.shardid = substring(p_table::regclass::text from '_(\d+)$')::bigint;
  return assignment.call_shard(v_shard, p_function, p_argument, p_told);
end;
$$;

comment on function assignment.on_shard(oid, text, jsonb, jsonb) is
  'Calls a function for the shard that the table p_table belongs to. Ask for it over a row of the shard, which brings it to the
row''s node: select assignment.on_shard(l.tableoid, …) from assignment.backfill_lanes l where …';

create function assignment.begin_change(p_id uuid)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if p_id is null then
    delete from assignment.failures f where f.attempts < 0;
  else
    delete from assignment.failures f where f.member_id = p_id and f.attempts < 0;
  end if;
end;
$$;

comment on function assignment.begin_change(uuid) is
  'Has Citus take what on_shard does next, in the place of p_id (null: in all), for a change and not for a read: the place is
neither moved nor split until it commits, and if it does not commit, neither does the coordinator. It deletes nothing.';

create function assignment.ask_shard(
  p_table regclass, p_id uuid, p_function text, p_argument jsonb, p_changes boolean, p_told jsonb default '{}'
)
  returns jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_call text := (
    select format(
      'select assignment.on_shard(t.tableoid, $1, $2, $3) from %s t where t.%I = $4 limit 1',
      p.logicalrelid,
      column_to_column_name(p.logicalrelid, p.partkey)
    )
    from pg_dist_partition p
    where p.logicalrelid = p_table
  );
  v_told jsonb := p_told;
  v_result jsonb;
begin
  if p_changes then
    perform assignment.begin_change(p_id);
  end if;
  for v_try in 1..1000 loop
    execute v_call into v_result using p_function, p_argument, v_told, p_id;
    if v_result is null and v_told ? 'brought' then  -- else the seats that were brought would be lost
      raise exception 'the row of % in % has just gone', p_id, p_table using errcode = '40001';
    end if;
    if jsonb_typeof(v_result) is distinct from 'object' or not v_result ? 'lacking' then
      return v_result;
    end if;
    if v_result ->> 'lacking' ~ '^the functions of ' and not assignment.prepare_nodes() then
      raise exception '% are still to be made', v_result ->> 'lacking' using errcode = '55P03';
    end if;
    v_told := assignment.look_up(v_result ->> 'lacking', v_told);
    if p_changes then
      v_told := assignment.bring_seats(p_id, v_result ->> 'lacking', v_told);
    end if;
  end loop;
  raise exception '%', v_result ->> 'lacking' using errcode = 'TA023';
end;
$$;

comment on function assignment.ask_shard(regclass, uuid, text, jsonb, boolean, jsonb) is
  'Calls a function where a row is: that of a table distributed beside members whose id, by which it is distributed, is p_id.
Null: there is none. p_changes: for a change, see begin_change. What the function lacks from other places is looked up, and
brought for a change, and it is called again.';
