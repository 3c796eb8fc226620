-- Auto-assignment on a shard. Citus calls a trigger unsafe that may write to another shard's rows; this one writes to the
-- shard where its members are, by the copies of the functions that know no other.

alter function assignment.assign_or_record(uuid[], text, uuid, jsonb[], text) rename to assign_or_record_here;

create function assignment.assign_new(p_member_ids uuid[])
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '50ms'
  language plpgsql
as $$
declare
  v_assigned bigint;
begin
  begin
    insert into public.trainer_client_assignments (trainer_id, client_id, source, assigned_by, policy_version)
    select s.default_trainer_id, m.id, 'trigger', 'trigger', s.policy_version
    from assignment.settings s
    cross join unnest(p_member_ids) as m (id)
    where not s.needs_choice;
    get diagnostics v_assigned = row_count;
    if v_assigned = cardinality(p_member_ids) then
      return;
    end if;
    if v_assigned > 0 then
      raise exception 'not all of them were assigned';
    end if;
  exception when others or assert_failure then
    null;
  end;
  if exists (select from unnest(assignment.assign_or_record_here(p_member_ids, 'trigger')) as f where f.sqlstate = 'TA023') then
    begin  -- the retry brings the seats that are not here
      update assignment.failures set next_attempt_at = now() where member_id = any (p_member_ids) and sqlstate = 'TA023';
    exception when others or assert_failure then
      null;  -- then it comes a little later
    end;
  end if;
end;
$$;

comment on function assignment.assign_new(uuid[]) is
  'Assigns new members, in key order, as the policy says, and records whatever goes wrong for a retry. Never raises.';

create or replace function assignment.tg_members__assign_trainer()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_shard bigint := substring(tg_table_name from '_(\d+)$');
  v_member_ids uuid[];
begin
  v_member_ids := array(select id from new_members order by id);
  if v_member_ids = '{}' then
    return null;  -- ignored for an after trigger
  end if;
  begin
    execute format('select assignment_shards.assign_new_%s($1)', v_shard) using v_member_ids;
  exception when undefined_function then
    begin
      perform assignment.make_shard_functions(v_shard);
      execute format('select assignment_shards.assign_new_%s($1)', v_shard) using v_member_ids;
    exception when others or assert_failure then  -- such as: another session is making them
      execute format(
        'insert into assignment.failures_%s (member_id, sqlstate, message, source)
         select id, $2, $3, $4 from unnest($1) as id on conflict (member_id) do nothing',
        get_shard_id_for_distribution_column('assignment.failures'::regclass, v_member_ids[1])
      )
      using v_member_ids, sqlstate, left(sqlerrm, 1000), 'trigger';
    end;
  end;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: new members are neither assigned nor recorded as failed: %', sqlerrm
    using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
  return null;
end;
$$;

create function assignment.forget_shard(p_member_ids jsonb)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
begin
  perform assignment.forget_in_runs(array(select jsonb_array_elements_text(p_member_ids)::uuid));
end;
$$;

create or replace function assignment.tg_members__forget()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_shard bigint := substring(tg_table_name from '_(\d+)$');
  v_ids uuid[] := array(select id from old_members);
begin
  if v_ids = '{}' then
    return null;  -- ignored for an after trigger
  end if;
  begin
    perform assignment.call_shard(v_shard, 'forget_shard', to_jsonb(v_ids));
    perform assignment.note(v_ids[1], 'gone', to_jsonb(v_ids));
  exception when others or assert_failure then
    raise warning 'trainer assignment: something is still kept of % deleted members: %', cardinality(v_ids), sqlerrm
      using hint = 'The scheduled reconciliation removes it.';
  end;
  perform assignment.note_line(v_ids[1], 'members.deleted', jsonb_build_object('members', cardinality(v_ids)));
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: the deletion of % members is not in the audit log: %', cardinality(v_ids), sqlerrm;
  return null;
end;
$$;
