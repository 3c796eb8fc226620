-- Finds the clients whom a transfer moves.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.select_clients(
  p_run assignment.backfill_runs,
  p_member_ids uuid[],
  out member_ids uuid[],
  out member_rows jsonb[]
)
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language plpgsql
as $$
declare
  v_members record;
  v_matched integer[];
begin
  member_ids := array(
    select asked.id
    from unnest(p_member_ids) as asked (id)
    where exists (
      select
      from public.trainer_client_assignments a
      where a.client_id = asked.id
        and a.trainer_id is not distinct from p_run.from_trainer_id  -- unlike =, keeps the planner from the index by trainer
        and a.status = 'active'
    )
    order by asked.id
  );
  if p_run.condition is null and p_run.trainer_id is not null then
    return;  -- nobody asks for the rows
  end if;

  select * into v_members from assignment.read_members(member_ids);
  if p_run.condition is null then
    member_rows := v_members.member_rows;
    return;
  end if;
  select m.matched into v_matched
  from assignment.match_rules(
    array(select r from assignment.compile_rules(
      jsonb_build_object('rules', jsonb_build_array(assignment.selecting_rule(p_run.condition))), 0
    ) as r),
    v_members.member_rows
  ) as m;
  select
    coalesce(array_agg(m.id order by m.id), '{}'),
    coalesce(array_agg(m.member_row order by m.id), '{}')
  into member_ids, member_rows
  from unnest(v_members.member_ids, v_members.member_rows) with ordinality as m (id, member_row, place)
  where m.place in (select unnest(v_matched));
end;
$$;

revoke execute on function assignment.select_clients(assignment.backfill_runs, uuid[]) from public;
comment on function assignment.select_clients(assignment.backfill_runs, uuid[]) is
  'Those of the given members whom a transfer moves: clients of the trainer who match its condition. member_rows: their rows,
where the policy or the condition asks for them.';

-- migrate:down
drop function if exists assignment.select_clients(assignment.backfill_runs, uuid[]);
