-- Forgets, on the coordinator, members who are gone: a shard forgets them for itself.

create function assignment.forget_here(p_member_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  set citus.multi_shard_modify_mode = 'sequential'
  language plpgsql
as $$
begin
  delete from assignment.member_hook_failures f where f.member_id = any (p_member_ids);
  delete from assignment.trainers t where t.trainer_id = any (p_member_ids);
  if found then
    delete from assignment.seats s where s.trainer_id = any (p_member_ids);
    delete from assignment.full_trainers f where f.trainer_id = any (p_member_ids);
  end if;
  update assignment.known_trainers k set is_member = false where k.is_member and k.trainer_id = any (p_member_ids);
  update assignment.outbox m
  set member_ids = array(select unnest(m.member_ids) except select unnest(p_member_ids))
  where m.member_ids && p_member_ids;
  update assignment.outbox_gaps g
  set member_ids = array(select unnest(g.member_ids) except select unnest(p_member_ids))
  where g.member_ids && p_member_ids;
end;
$$;

create function assignment.take_gone(p_notes jsonb)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_ids uuid[] := array(
    select jsonb_array_elements_text(n -> 'content')::uuid from jsonb_array_elements(p_notes) as n where n ->> 'kind' = 'gone'
  );
begin
  if v_ids <> '{}' then
    perform assignment.forget_here(v_ids);
  end if;
end;
$$;

comment on function assignment.take_gone(jsonb) is 'Forgets the members among notes who are gone.';

create or replace function assignment.forget_gone_members()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_ids uuid[];
begin
  perform assignment.require_visible_rows();  -- a hidden member exists all the same
  delete from assignment.failures f where not exists (select from public.members m where m.id = f.member_id);
  delete from assignment.backfill_errors e where not exists (select from public.members m where m.id = e.member_id);
  delete from assignment.backfill_selected s where not exists (select from public.members m where m.id = s.member_id);
  -- Those whom no row names that a message tells of, and trainers.
  v_ids := array(
    select unnest(o.member_ids) from assignment.outbox o where o.type = 'assignment.failed'
    union
    select unnest(g.member_ids) from assignment.outbox_gaps g
    union
    select t.trainer_id from assignment.trainers t
  );
  perform assignment.forget_here(array(select unnest(v_ids) except select unnest(assignment.find_members(v_ids))));
  -- Its members are yet to come. One who came by another way needs it no more, and might go unseen.
  v_ids := assignment.find_members(array(select f.member_id from assignment.member_hook_failures f));
  delete from assignment.member_hook_failures f where f.member_id = any (v_ids);
end;
$$;
