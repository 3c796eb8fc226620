-- Assignments by hand: on the member's node, in one transaction with the line of the audit log on the coordinator.

alter function assignment.assign_one(assignment.request, uuid, uuid) rename to assign_one_here;
alter function assignment.end_one(uuid, uuid, text) rename to end_one_here;

create function assignment.assign_shard(
  p_argument jsonb, out assigned boolean, out id uuid, out assignment_date timestamptz, out source text, out notes text
)
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  select one.assigned, one.id, one.assignment_date, one.source, one.notes
  into assign_shard.assigned, assign_shard.id, assign_shard.assignment_date, assign_shard.source, assign_shard.notes
  from assignment.assign_one_here(
    jsonb_populate_record(null::assignment.request, p_argument -> 'request'),
    (p_argument ->> 'memberId')::uuid,
    (p_argument ->> 'trainerId')::uuid
  ) as one;
end;
$$;

create function assignment.assign_one(
  p_request assignment.request,
  p_member_id uuid,
  p_trainer_id uuid,
  out assigned boolean,
  out id uuid,
  out assignment_date timestamptz,
  out source text,
  out notes text
)
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.commit_together();
  select one.assigned, one.id, one.assignment_date, one.source, one.notes
  into assign_one.assigned, assign_one.id, assign_one.assignment_date, assign_one.source, assign_one.notes
  from jsonb_to_record(assignment.ask_shard(
    'public.members',
    p_member_id,
    'assign_shard',
    jsonb_build_object('request', to_jsonb(p_request), 'memberId', p_member_id, 'trainerId', p_trainer_id),
    true
  )) as one (assigned boolean, id uuid, assignment_date timestamptz, source text, notes text);
  if assign_one.id is null then
    raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
  end if;
end;
$$;

create function assignment.end_shard(p_argument jsonb)
  returns uuid
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return assignment.end_one_here(
    (p_argument ->> 'memberId')::uuid, (p_argument ->> 'trainerId')::uuid, p_argument ->> 'actor'
  );
end;
$$;

create function assignment.end_one(p_member_id uuid, p_trainer_id uuid, p_actor text)
  returns uuid
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.commit_together();
  return assignment.ask_shard(
    'public.members',
    p_member_id,
    'end_shard',
    jsonb_build_object('memberId', p_member_id, 'trainerId', p_trainer_id, 'actor', p_actor),
    true
  ) #>> '{}';
end;
$$;

create or replace function assignment.forget_failure(p_member_id uuid, p_trainer_id uuid)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_default_trainer_id uuid := (select s.default_trainer_id from assignment.settings s);
begin
  delete from assignment.failures f
  where f.member_id = p_member_id
    and p_trainer_id = coalesce(f.requested_trainer_id, v_default_trainer_id);
end;
$$;

-- What a program asks for that signs members up: where each of them is.

create function assignment.signup_shard(p_argument jsonb)
  returns jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_failures assignment.member_failure[] := assignment.assign_or_record_here(
    array(select jsonb_array_elements_text(p_argument -> 'memberIds')::uuid),
    p_argument ->> 'source',
    (p_argument ->> 'trainerId')::uuid,
    p_actor => p_argument ->> 'actor'
  );
begin
  if v_failures[1].sqlstate = 'TA023' then  -- all of them have it
    raise exception '%', v_failures[1].message using errcode = 'TA023';
  end if;
  return to_jsonb(v_failures);
end;
$$;

create function assignment.assign_or_record(
  p_member_ids uuid[], p_source text, p_trainer_id uuid default null, p_rows jsonb[] default null, p_actor text default null
)
  returns assignment.member_failure[]
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
declare
  v_ids uuid[];
  v_result jsonb;
  v_failures assignment.member_failure[] := '{}';
  v_sqlstate text;
  v_message text;
begin
  for v_ids in
    select array_agg(asked.id order by asked.id)
    from unnest(p_member_ids) as asked (id)
    group by get_shard_id_for_distribution_column('public.members'::regclass, asked.id)
  loop
    begin
      v_result := assignment.ask_shard(
        'assignment.places',
        assignment.find_place_of(v_ids[1]),
        'signup_shard',
        jsonb_build_object(
          'memberIds', v_ids,
          'source', p_source,
          'trainerId', p_trainer_id,
          'actor', coalesce(p_actor, assignment.database_role())
        ),
        true
      );
      v_failures := v_failures || array(
        select jsonb_populate_record(null::assignment.member_failure, f) from jsonb_array_elements(v_result) as f
      );
    exception when others or assert_failure then
      v_sqlstate := sqlstate;
      v_message := left(sqlerrm, 1000);
      v_failures := v_failures || array(
        select row(id, v_sqlstate, v_message, null)::assignment.member_failure from unnest(v_ids) as id
      );
      begin
        insert into assignment.failures as f (member_id, trainer_id, requested_trainer_id, sqlstate, message, source)
        select id, p_trainer_id, p_trainer_id, v_sqlstate, v_message, p_source
        from unnest(v_ids) as id
        order by id
        on conflict (member_id) do update set
          trainer_id = excluded.trainer_id,
          requested_trainer_id = excluded.requested_trainer_id,
          rule = null,
          sqlstate = excluded.sqlstate,
          message = excluded.message,
          source = excluded.source,
          next_attempt_at = excluded.next_attempt_at;
      exception when others or assert_failure then
        raise warning 'trainer assignment: % member(s), the first %, are neither assigned nor recorded as failed: %',
          cardinality(v_ids), v_ids[1], sqlerrm
          using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
      end;
    end;
  end loop;
  return v_failures;
end;
$$;
