-- The places where members are: what is asked of each of them goes by these ids.

create function assignment.find_places()
  returns setof uuid
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_shards bigint[] := array(select s.shardid from pg_dist_shard s where s.logicalrelid = 'public.members'::regclass);
  v_places uuid[] := array(select p.place from assignment.places p);
  v_new uuid[];
begin
  v_shards := array(  -- those without: all at first, and later one that was split off
    select unnest(v_shards)
    except
    select get_shard_id_for_distribution_column('public.members'::regclass, place) from unnest(v_places) as place
  );
  if v_shards <> '{}' then
    v_new := array(
      select distinct on (drawn.shard) drawn.id
      from (
        select u.id, get_shard_id_for_distribution_column('public.members'::regclass, u.id) as shard
        from (
          select gen_random_uuid() as id
          from generate_series(1, 100 * (select count(*) from pg_dist_shard s where s.logicalrelid = 'public.members'::regclass))
        ) as u
      ) as drawn
      where drawn.shard = any (v_shards)
    );
    insert into assignment.places (place) select unnest(v_new);
    v_places := v_places || v_new;
  end if;
  return query
  select distinct on (known.shard) known.place
  from (
    select place, get_shard_id_for_distribution_column('public.members'::regclass, place) as shard
    from unnest(v_places) as place
  ) as known
  order by known.shard, known.place;
end;
$$;

comment on function assignment.find_places() is
  'A uuid for each shard of members, the same each time. That one of n shards is not drawn in 100 n draws is out of the
question: e to the power of -100.';

create function assignment.find_place_of(p_id uuid)
  returns uuid
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return (
    select place
    from assignment.find_places() as place
    where get_shard_id_for_distribution_column('public.members'::regclass, place)
      = get_shard_id_for_distribution_column('public.members'::regclass, p_id)
  );
end;
$$;

comment on function assignment.find_place_of(uuid) is 'The one of find_places where p_id is.';

create function assignment.prepare_nodes()
  returns boolean
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_are_made boolean;
begin
  select bool_and(made.success)
  into v_are_made
  from run_command_on_placements(
    'public.members',
    -- The functions that take rows of a shard's tables go when it leaves, and record_sample is one of them.
    $command$
      select assignment.make_shard_functions(shard.id)
      from (select substring('%s' from '_(\d+)$')::bigint as id) as shard
      where to_regproc('assignment_shards.record_sample_' || shard.id) is null
    $command$
  ) as made;
  if not current_setting('transaction_read_only')::boolean then
    perform assignment.find_places();  -- has one for each shard that was split off
  end if;
  return v_are_made;
end;
$$;

comment on function assignment.prepare_nodes() is
  'Makes what is missing where a shard came by a move or a split, so that it need not be made by whoever comes first: the
functions in transactions of their own, also for one that can only read. Returns whether all functions are there.';
