-- Messages of what happens on shards. The triggers are always there, for a change of triggers would wait for every shard;
-- which types somebody wants, they read on their own node.

create table assignment.wishes (type text not null, constraint wishes_pkey primary key (type));
insert into assignment.wishes (type)
select distinct type
from assignment.webhook_endpoints e
cross join unnest(e.types) as type
where e.enabled
  and type like 'assignment%';
select create_reference_table('assignment.wishes');
comment on table assignment.wishes is 'The types of messages that shards write, because an enabled endpoint wants them.';

-- By the name of its only shard, which costs a signup no plan of Citus.
do $$
begin
  execute format(
    'create function assignment.is_noted(p_type text)
       returns boolean
       stable
       set search_path = pg_catalog, pg_temp
       language plpgsql
     as $body$
     begin
       return exists (select from assignment.wishes_%s w where w.type = p_type);
     end;
     $body$',
    (select s.shardid from pg_dist_shard s where s.logicalrelid = 'assignment.wishes'::regclass)
  );
end;
$$;

create function assignment.note_messages(p_type text, p_member_ids uuid[], p_assignment_ids uuid[] default null)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  for v_first in 1..coalesce(cardinality(p_member_ids), 0) by 500 loop
    perform assignment.note(p_member_ids[v_first], 'message', jsonb_build_object(
      'type', p_type,
      'memberIds', p_member_ids[v_first:v_first + 499],
      'assignmentIds', p_assignment_ids[v_first:v_first + 499]
    ));
  end loop;
end;
$$;

comment on function assignment.note_messages(text, uuid[], uuid[]) is
  'As announce, on the node of the members: notes of up to 500 ids each.';

create or replace function assignment.tg_trainer_client_assignments__announce()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
declare
  v_changed record;
begin
  if tg_op = 'INSERT' then
    if assignment.is_noted('assignments.created') then
      select array_agg(n.client_id order by n.id) as member_ids, array_agg(n.id order by n.id) as ids into v_changed
      from new_rows n
      where n.status = 'active';
      perform assignment.note_messages('assignments.created', v_changed.member_ids, v_changed.ids);
    end if;
    return null;  -- ignored for an after trigger
  end if;

  if assignment.is_noted('assignments.ended') then
    select array_agg(c.client_id order by c.id) as member_ids, array_agg(c.id order by c.id) as ids into v_changed
    from (
      select o.id, o.client_id from old_rows o where o.status = 'active'
      intersect
      select n.id, n.client_id from new_rows n where n.status = 'inactive'
    ) as c;
    perform assignment.note_messages('assignments.ended', v_changed.member_ids, v_changed.ids);
  end if;
  if assignment.is_noted('assignments.created') then
    select array_agg(c.client_id order by c.id) as member_ids, array_agg(c.id order by c.id) as ids into v_changed
    from (
      select o.id, o.client_id from old_rows o where o.status = 'inactive'
      intersect
      select n.id, n.client_id from new_rows n where n.status = 'active'
    ) as c;
    perform assignment.note_messages('assignments.created', v_changed.member_ids, v_changed.ids);
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: no message tells of a change of assignments: %', sqlerrm;
  return null;
end;
$$;

create or replace function assignment.tg_failures__announce()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
begin
  if assignment.is_noted('assignment.failed') then
    perform assignment.note_messages('assignment.failed', array(select n.member_id from new_rows n order by n.member_id));
  end if;
  return null;  -- ignored for an after trigger
exception when others or assert_failure then
  raise warning 'trainer assignment: no message tells of failed members: %', sqlerrm;
  return null;
end;
$$;

alter table public.trainer_client_assignments enable trigger trainer_client_assignments_announce_after_insert;
alter table public.trainer_client_assignments enable trigger trainer_client_assignments_announce_after_update;
alter table assignment.failures enable trigger failures_announce_after_insert;

create or replace function assignment.set_announcing(p_tries integer default 10)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '50ms'  -- whoever signs up meanwhile waits no longer
  language plpgsql
as $$
declare
  v_wanted text[];
  v_known text[];
begin
  for v_try in 1..p_tries loop
    begin
      -- One after the other: each sees what the one before wished.
      perform pg_advisory_xact_lock(hashtextextended('assignment.set_announcing', 0));
      v_wanted := array(
        select distinct type
        from assignment.webhook_endpoints e
        cross join unnest(e.types) as type
        where e.enabled
          and type like 'assignment%'
        order by type
      );
      v_known := array(select w.type from assignment.wishes w order by w.type);
      if v_wanted = v_known then
        return 0;
      end if;
      if not v_wanted <@ v_known then
        -- Of every change that commits after this one is told: those under way end first.
        lock table public.members, public.trainer_client_assignments, assignment.failures in share row exclusive mode;
      end if;
      delete from assignment.wishes w where w.type <> all (v_wanted);
      insert into assignment.wishes (type) select unnest(v_wanted) on conflict (type) do nothing;
      return (select count(*) from unnest(v_wanted) as type where type <> all (v_known));
    exception when lock_not_available then
      if v_try = p_tries then
        raise;
      end if;
      perform pg_sleep(0.2);
    end;
  end loop;
end;
$$;

comment on function assignment.set_announcing(integer) is
  'Tells all nodes what the enabled endpoints want, and returns how many types are new. Tries for some 2 s between
transactions that write assignments; then raises 55P03.';

create function assignment.take_messages(p_notes jsonb)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  insert into assignment.outbox (id, type, at, assignment_ids, member_ids)
  select n.id, m.type, n.at, m."assignmentIds", m."memberIds"
  from jsonb_to_recordset(p_notes) as n (id uuid, at timestamptz, kind text, content jsonb)
  cross join jsonb_to_record(n.content) as m (type text, "assignmentIds" uuid[], "memberIds" uuid[])
  where n.kind = 'message'
  on conflict (id) do nothing;
end;
$$;

comment on function assignment.take_messages(jsonb) is
  'Adds the messages among notes to the outbox, those that are not there yet.';
comment on column assignment.outbox.member_ids is
  'The members, at most 500: where the assignments are, and of assignment.failed whom it tells of.';

create or replace function assignment.list_told_assignments(p_message assignment.outbox)
  returns table (
    id uuid,
    client_id uuid,
    trainer_id uuid,
    assignment_date timestamptz,
    source text,
    assigned_by text,
    backfill_run_id uuid,
    policy_version integer,
    rule smallint,
    ended_at timestamptz,
    ended_by text,
    ended_because text,
    ended_run_id uuid
  )
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  p_message.member_ids := coalesce(p_message.member_ids, array(  -- null: of before the tables were distributed
    select a.client_id from public.trainer_client_assignments a where a.id = any (p_message.assignment_ids)
  ));
  return query
  select
    a.id,
    a.client_id,
    a.trainer_id,
    a.assignment_date,
    a.source,
    a.assigned_by,
    a.backfill_run_id,
    a.policy_version,
    a.rule,
    a.ended_at,
    a.ended_by,
    a.ended_because,
    a.ended_run_id
  from public.trainer_client_assignments a
  where a.client_id = any (p_message.member_ids)
    and a.id = any (p_message.assignment_ids);
end;
$$;
