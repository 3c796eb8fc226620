-- Finds the clients whom a transfer moves.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.select_clients(
  p_run assignment.backfill_runs,
  p_member_ids uuid[],
  out clients assignment.clients,
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
  v_selected uuid[];
begin
  select
    coalesce(array_agg(a.client_id order by a.client_id), '{}'),
    coalesce(array_agg(a.id order by a.client_id), '{}'),
    coalesce(array_agg(a.notes order by a.client_id), '{}')
  into clients
  from public.trainer_client_assignments a
  where a.client_id = any (p_member_ids)
    and a.trainer_id is not distinct from p_run.from_trainer_id  -- unlike =, keeps the planner from the index by trainer
    and a.status = 'active';
  if p_run.condition is null and p_run.trainer_id is not null then
    return;  -- nobody asks for the rows
  end if;

  select * into v_members from assignment.read_members(clients.member_ids);
  v_selected := v_members.member_ids;  -- whose row is gone meanwhile is no client any more
  if p_run.condition is not null then
    select coalesce(array_agg(v_members.member_ids[matched.place]), '{}') into v_selected
    from assignment.match_rules(
      array(select r from assignment.compile_rules(
        jsonb_build_object('rules', jsonb_build_array(assignment.selecting_rule(p_run.condition))), 0
      ) as r),
      v_members.member_rows
    ) as m
    cross join lateral unnest(m.matched) as matched (place);
  end if;
  if cardinality(v_selected) < cardinality(clients.member_ids) then
    select
      coalesce(array_agg(c.member_id order by c.member_id), '{}'),
      coalesce(array_agg(c.id order by c.member_id), '{}'),
      coalesce(array_agg(c.note order by c.member_id), '{}')
    into clients
    from unnest(clients.member_ids, clients.assignment_ids, clients.notes) as c (member_id, id, note)
    where c.member_id in (select unnest(v_selected));
  end if;
  member_rows := array(
    select m.member_row
    from unnest(v_members.member_ids, v_members.member_rows) as m (id, member_row)
    where m.id in (select unnest(clients.member_ids))
    order by m.id
  );
end;
$$;

revoke execute on function assignment.select_clients(assignment.backfill_runs, uuid[]) from public;
comment on function assignment.select_clients(assignment.backfill_runs, uuid[]) is
  'Those of the given members whom a transfer moves: clients of the trainer who match its condition. member_rows: their rows,
where the policy or the condition asks for them.';

-- migrate:down
drop function if exists assignment.select_clients(assignment.backfill_runs, uuid[]);
