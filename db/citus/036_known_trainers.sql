-- Who is a member: a shard has its own members. Whom the policy names as a trainer may be one of another shard, so every node
-- has a list of those that have been asked for. Of whom it does not have, a shard asks (TA023), and the coordinator looks.

create or replace function assignment.find_members(p_ids uuid[])
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_told jsonb := coalesce(nullif(current_setting('assignment.told', true), '')::jsonb, '{}');
  v_found uuid[];
  v_unknown text;
begin
  begin
    v_found := array(select m.id from public.members m where m.id = any (p_ids));
  exception when insufficient_privilege then
    return p_ids;
  end;
  if exists (select from pg_dist_partition d where d.logicalrelid = 'public.members'::regclass) then
    return v_found;  -- of all shards
  end if;
  select
    v_found || coalesce(array_agg(asked.id) filter (where known.is_member), '{}'),
    string_agg(asked.id::text, ', ') filter (where known.is_member is null)
  into v_found, v_unknown
  from (select unnest(p_ids) except select unnest(v_found)) as asked (id)
  left join assignment.known_trainers k on k.trainer_id = asked.id
  cross join lateral (
    select case
      when v_told -> 'members' ? asked.id::text then true
      when v_told -> 'strangers' ? asked.id::text then false
      else k.is_member
    end as is_member
  ) as known
  where asked.id is not null;
  if v_unknown is not null then
    raise exception 'trainers are still to be looked up in other places: %', v_unknown using errcode = 'TA023';
  end if;
  return v_found;
end;
$$;

create function assignment.note_trainers(p_ids uuid[], p_members uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  insert into assignment.known_trainers as k (trainer_id, is_member)
  select asked.id, asked.id = any (p_members)
  from (select distinct unnest(p_ids)) as asked (id)
  where asked.id is not null
  order by asked.id
  on conflict (trainer_id) do update set is_member = excluded.is_member
  where k.is_member <> excluded.is_member;
end;
$$;

comment on function assignment.note_trainers(uuid[], uuid[]) is
  'Notes on every node which of the ids are members: p_members, as find_members found them.';

create function assignment.note_policy_trainers()
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set citus.multi_shard_modify_mode = 'sequential'
  language plpgsql
as $$
declare
  v_ids uuid[] := array(
    select distinct unnest(r.trainer_ids)
    from assignment.policy_rules r
    join assignment.settings s on s.policy_version = r.version
  );
begin
  perform assignment.note_trainers(v_ids, assignment.find_members(v_ids));
end;
$$;

comment on function assignment.note_policy_trainers() is 'As note_trainers, for those whom the policy in force lists.';

create function assignment.look_up(p_lacking text, p_told jsonb)
  returns jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_ids uuid[];
  v_members uuid[];
begin
  if p_lacking !~ ' looked up ' then
    return p_told;
  end if;
  v_ids := array(select id[1]::uuid from regexp_matches(p_lacking, '([0-9a-f]{8}-[0-9a-f-]{27})', 'g') as id);
  v_members := assignment.find_members(v_ids);
  if not current_setting('transaction_read_only')::boolean then
    perform assignment.note_trainers(v_ids, v_members);
  end if;
  return p_told || jsonb_build_object(
    'members', coalesce(p_told -> 'members', '[]') || to_jsonb(v_members),
    'strangers', coalesce(p_told -> 'strangers', '[]') || to_jsonb(array(select unnest(v_ids) except select unnest(v_members)))
  );
end;
$$;

comment on function assignment.look_up(text, jsonb) is
  'Finds out which of the ids are members that the message of TA023 names. Returns p_told with it, for call_shard.';

create function assignment.refresh_known_trainers()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_ids uuid[];
begin
  update assignment.trainers_looked_up l set at = now() where l.at < now() - interval '30 seconds';
  if not found then
    return;
  end if;
  -- Members may name whomever they like. Who is asked for again is looked up again.
  if (select count(*) from assignment.known_trainers k where not k.is_member) > 10000 then
    delete from assignment.known_trainers k where not k.is_member;
  end if;
  v_ids := array(select k.trainer_id from assignment.known_trainers k);
  perform assignment.note_trainers(v_ids, assignment.find_members(v_ids));
  perform assignment.prepare_nodes();
end;
$$;

comment on function assignment.refresh_known_trainers() is
  'Notes who has become a member since, or is none any more, keeps at most 10,000 who are none, and prepares nodes for shards
that came, twice a minute. The service asks for it with each look for failures that are due.';
