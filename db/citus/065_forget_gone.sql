-- What is kept of deleted members beyond their place, and what no trigger has seen: the schedule has it forgotten.

create or replace function assignment.forget_members(p_member_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  set citus.multi_shard_modify_mode = 'sequential'
  language plpgsql
as $$
begin
  delete from assignment.failures f where f.member_id = any (p_member_ids);
  delete from assignment.backfill_errors e where e.member_id = any (p_member_ids);
  delete from assignment.backfill_selected s where s.member_id = any (p_member_ids);
  delete from assignment.member_hook_failures h where h.member_id = any (p_member_ids);
  delete from assignment.seats s where s.trainer_id = any (p_member_ids);
  delete from assignment.full_trainers f where f.trainer_id = any (p_member_ids);
  delete from assignment.trainers t where t.trainer_id = any (p_member_ids);
  update assignment.outbox
  set member_ids = array(select unnest(member_ids) except select unnest(p_member_ids))
  where member_ids && p_member_ids;
  update assignment.outbox_gaps
  set member_ids = array(select unnest(member_ids) except select unnest(p_member_ids))
  where member_ids && p_member_ids;
end;
$$;

create or replace function assignment.forget_gone_members()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_known uuid[];
  v_gone uuid[];
begin
  perform assignment.require_visible_rows();  -- a hidden member exists all the same
  v_gone := array(
    select f.member_id from assignment.failures f left join public.members m on m.id = f.member_id where m.id is null
  );
  v_gone := v_gone || array(
    select distinct e.member_id
    from assignment.backfill_errors e
    left join public.members m on m.id = e.member_id
    where m.id is null
  );
  v_gone := v_gone || array(
    select distinct s.member_id
    from assignment.backfill_selected s
    left join public.members m on m.id = s.member_id
    where m.id is null
  );
  v_known := array(select t.trainer_id from assignment.trainers t) || array(
    select unnest(o.member_ids) from assignment.outbox o where o.member_ids is not null
    union
    select unnest(g.member_ids) from assignment.outbox_gaps g
  );
  v_gone := v_gone || array(select unnest(v_known) except select unnest(assignment.find_members(v_known)));
  if v_gone <> '{}' then
    perform assignment.forget_members(v_gone);
  end if;
  v_known := assignment.find_members(array(select h.member_id from assignment.member_hook_failures h));
  delete from assignment.member_hook_failures h where h.member_id = any (v_known);
end;
$$;
