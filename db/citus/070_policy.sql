-- The policy is on every node.

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
  v_decision jsonb := assignment.ask_shard(
    'public.members',
    p_member_id,
    'explain_shard',
    to_jsonb(p_member_id),
    false,
    jsonb_strip_nulls(jsonb_build_object('free', assignment.count_free_seats()))
  );
begin
  if v_decision is null then
    raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
  end if;
  return v_decision;
end;
$$;

alter function assignment.put_policy(jsonb, text, text, integer, text) rename to put_policy_here;

create function assignment.put_policy(
  p_document jsonb, p_actor text, p_comment text default null, p_expected_version integer default null, p_request_id text default null
)
  returns integer
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  -- It looks for trainers in all shards before it writes to tables that are on all nodes.
  set citus.multi_shard_modify_mode = 'sequential'
  language plpgsql
as $$
declare
  v_version integer;
begin
  v_version := assignment.put_policy_here(p_document, p_actor, p_comment, p_expected_version, p_request_id);
  perform assignment.note_policy_trainers();
  return v_version;
end;
$$;

-- These, too, write to both.
alter function assignment.grant_service(name, name[]) set citus.multi_shard_modify_mode = 'sequential';
alter function assignment.change_trainer(uuid, jsonb, text, text) set citus.multi_shard_modify_mode = 'sequential';
alter function assignment.settle_all_seats() set citus.multi_shard_modify_mode = 'sequential';
