-- What happens on a shard is told by the coordinator, in messages and in lines of the audit log. A shard cannot write there
-- in the member's transaction. It writes a note in the member's place, and the coordinator collects the notes: it copies them
-- first, and has them dropped once the copy is committed. If a node dies in between, the same notes are read again, and are
-- known by their ids. So nothing is lost or told twice, without a commit in two phases.

create table assignment.notes (
  place uuid not null,
  id uuid not null default assignment.uuid_v7(),
  at timestamptz not null default clock_timestamp(),
  kind text not null,
  content jsonb not null,
  constraint notes_pkey primary key (place, id),
  constraint kind_is_known check (kind in ('message', 'line', 'gone'))
);
select create_distributed_table('assignment.notes', 'place', colocate_with => 'public.members');

comment on table assignment.notes is
  'What shards tell the coordinator, until it has collected it: messages, lines of the audit log, and members who are gone.';
comment on column assignment.notes.place is 'One of the members whom it is about, so that it is where they are.';
comment on column assignment.notes.id is 'Of the message or line.';

create function assignment.note(p_place uuid, p_kind text, p_content jsonb)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  execute format(
    'insert into assignment.notes_%s (place, kind, content) values ($1, $2, $3)',
    get_shard_id_for_distribution_column('assignment.notes'::regclass, p_place)
  )
  using p_place, p_kind, p_content;
end;
$$;

comment on function assignment.note(uuid, text, jsonb) is
  'Writes a note on the node of a member, in the transaction of the change that it tells of.';

create function assignment.find_node_places()
  returns setof uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query
  select distinct on (p.groupid) place
  from assignment.find_places() as place
  join pg_dist_placement p on p.shardid = get_shard_id_for_distribution_column('public.members'::regclass, place)
  order by p.groupid;
end;
$$;

comment on function assignment.find_node_places() is 'A place on each node that has members.';

create function assignment.read_notes_here(p_limit integer)
  returns jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_query text;
  v_notes jsonb;
begin
  select string_agg(
    format('(select %s as shard, n.* from assignment.notes_%1$s n order by n.id limit $1)', s.shardid), ' union all '
  )
  into v_query
  from pg_dist_shard s
  join pg_dist_placement p on p.shardid = s.shardid
  join pg_dist_local_group g on g.groupid = p.groupid
  where s.logicalrelid = 'assignment.notes'::regclass;
  if v_query is null then
    return null;
  end if;
  execute format('select jsonb_agg(to_jsonb(n)) from (select * from (%s) as n order by n.id limit $1) as n', v_query)
  into v_notes
  using p_limit;
  return v_notes;
end;
$$;

comment on function assignment.read_notes_here(integer) is 'The oldest notes of this node, with their shards. Null: none.';

create function assignment.drop_notes_here(p_notes jsonb)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_part record;
begin
  for v_part in
    select format('assignment.notes_%s', n.shard) as name, array_agg(n.place) as places, array_agg(n.id) as ids
    from jsonb_to_recordset(p_notes) as n (shard bigint, place uuid, id uuid)
    group by n.shard
  loop
    continue when to_regclass(v_part.name) is null;  -- it has left: they are read and dropped where it went
    execute format('delete from %s n where (n.place, n.id) in (select * from unnest($1, $2))', v_part.name)
    using v_part.places, v_part.ids;
  end loop;
end;
$$;

create function assignment.collect_notes(p_place uuid, p_limit integer default 500)
  returns jsonb
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_notes jsonb;
begin
  -- One after the other: what a member's notes tell stays in order.
  perform pg_advisory_xact_lock(hashtextextended('trainer assignment: notes of node ' || p.groupid, 0))
  from pg_dist_placement p
  where p.shardid = get_shard_id_for_distribution_column('public.members'::regclass, p_place);

  -- The count has Citus ask the node once, whether there is such a row or not.
  select assignment.read_notes_here(p_limit + 0 * count(*)::integer) into v_notes
  from assignment.notes n
  where n.place = p_place;
  if v_notes is null then
    return null;
  end if;
  perform assignment.take_messages(v_notes);
  perform assignment.take_lines(v_notes);
  perform assignment.take_gone(v_notes);
  return (
    select jsonb_agg(jsonb_build_object('shard', n -> 'shard', 'place', n -> 'place', 'id', n -> 'id'))
    from jsonb_array_elements(v_notes) as n
  );
end;
$$;

comment on function assignment.collect_notes(uuid, integer) is
  'Copies up to p_limit notes of the node that has p_place to the outbox and the audit log, and returns which: give them to
drop_notes once this has committed. Null: none.';

create function assignment.drop_notes(p_place uuid, p_notes jsonb)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_rows bigint;
begin
  select count(*), assignment.drop_notes_here(case when count(*) >= 0 then p_notes end) into v_rows
  from assignment.notes n
  where n.place = p_place;
end;
$$;

comment on function assignment.drop_notes(uuid, jsonb) is
  'Drops notes that collect_notes has copied. Those whose shard has moved are copied again, to no effect.';
