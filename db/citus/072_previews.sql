-- Previews: place after place, so that each knows the seats that those before it would take.

alter function assignment.preview_policy(jsonb, real) rename to preview_policy_here;
alter function assignment.choose_transfer(assignment.backfill_run, uuid[]) rename to choose_transfer_here;

-- The coordinator tells each place what is free.
create or replace function assignment.count_unsampled_seats(p_percent real)
  returns assignment.trainer_count[]
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select '{}'::assignment.trainer_count[]
$$;

create function assignment.estimate_shard(p_argument jsonb)
  returns real
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return (select greatest(c.reltuples, 0) from pg_class c where c.oid = 'public.members'::regclass);
end;
$$;

create or replace function assignment.member_tables()
  returns table (relid regclass, members real)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_places uuid[] := array(select * from assignment.find_places());
begin
  relid := 'public.members'::regclass;
  members := cardinality(v_places)  -- shards are about equal
    * (assignment.ask_shard('assignment.places', v_places[1], 'estimate_shard', 'null', false) #>> '{}')::real;
  return next;
end;
$$;

create function assignment.draft_shard(p_argument jsonb)
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return assignment.preview_policy_here(p_argument -> 'document', (p_argument ->> 'percent')::real);
end;
$$;

create function assignment.preview_policy(p_document jsonb, p_percent real default 100)
  returns jsonb
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_argument jsonb := jsonb_build_object('document', p_document, 'percent', p_percent);
  v_free jsonb := assignment.count_free_seats();
  v_place uuid;
  v_part jsonb;
  v_members bigint := 0;
  v_changed bigint := 0;
  v_outcomes jsonb := '[]';
  v_shares jsonb := '[]';
begin
  if v_free is not null then  -- none of whoever is not named
    v_free := coalesce(
      (select jsonb_object_agg(f.key, floor(f.value::integer * p_percent / 100)) from jsonb_each_text(v_free) as f), '{}'
    );
  end if;
  for v_place in select * from assignment.find_places() loop
    v_part := assignment.ask_shard(
      'assignment.places', v_place, 'draft_shard', v_argument, false, jsonb_strip_nulls(jsonb_build_object('free', v_free))
    );
    v_members := v_members + (v_part ->> 'members')::bigint;
    v_changed := v_changed + (v_part ->> 'changed')::bigint;
    v_outcomes := v_outcomes || (v_part -> 'outcomes');
    v_shares := v_shares || (v_part -> 'shares');
    v_free := assignment.take_free_seats(v_free, array(
      select row(o.trainer_id, o.members)::assignment.trainer_count
      from jsonb_to_recordset(v_part -> 'outcomes') as o (trainer_id uuid, outcome text, members integer)
      where o.outcome = 'assign'
    ));
  end loop;
  return jsonb_build_object(
    'members', v_members,
    'changed', v_changed,
    'outcomes', (
      select coalesce(jsonb_agg(to_jsonb(t)), '[]')
      from (
        select o.rule, o.trainer_id, o.outcome, sum(o.members)::bigint as members
        from jsonb_to_recordset(v_outcomes) as o (rule smallint, trainer_id uuid, outcome text, members bigint)
        group by o.rule, o.trainer_id, o.outcome
      ) as t
    ),
    'shares', (
      select coalesce(jsonb_agg(to_jsonb(t)), '[]')
      from (
        select s.trainer_id, sum(s.before)::bigint as before, sum(s.after)::bigint as after
        from jsonb_to_recordset(v_shares) as s (trainer_id uuid, before bigint, after bigint)
        group by s.trainer_id
      ) as t
    )
  );
end;
$$;

create function assignment.choose_shard(p_argument jsonb)
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_chosen record;
begin
  select * into v_chosen
  from assignment.choose_transfer_here(
    jsonb_populate_record(null::assignment.backfill_run, p_argument -> 'run'),
    array(select jsonb_array_elements_text(p_argument -> 'memberIds')::uuid)
  );
  return to_jsonb(v_chosen);
end;
$$;

create or replace function assignment.choose_transfer(
  p_run assignment.backfill_runs, p_member_ids uuid[], out selected integer, out choices assignment.choice[]
)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_free jsonb := assignment.count_free_seats();
  v_ids uuid[];
  v_part jsonb;
  v_chosen assignment.choice[];
begin
  selected := 0;
  choices := '{}';
  for v_ids in
    select array_agg(asked.id order by asked.position)
    from unnest(p_member_ids) with ordinality as asked (id, position)
    group by get_shard_id_for_distribution_column('public.members'::regclass, asked.id)
    order by min(asked.position)
  loop
    v_part := assignment.ask_shard(
      'assignment.places',
      assignment.find_place_of(v_ids[1]),
      'choose_shard',
      jsonb_build_object('run', to_jsonb(p_run), 'memberIds', v_ids),
      false,
      jsonb_strip_nulls(jsonb_build_object('free', v_free))
    );
    v_chosen := array(
      select jsonb_populate_record(null::assignment.choice, c.choice)
      from jsonb_array_elements(v_part -> 'choices') with ordinality as c (choice, position)
      order by c.position
    );
    selected := selected + (v_part ->> 'selected')::integer;
    choices := choices || v_chosen;
    v_free := assignment.take_free_seats(v_free, array(
      select row(c.trainer_id, 1)::assignment.trainer_count from unnest(v_chosen) as c where c.outcome = 'assign'
    ));
  end loop;
end;
$$;
