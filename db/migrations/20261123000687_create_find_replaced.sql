-- Finds the assignments that new ones replace when reassigning.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_replaced(
  p_choices assignment.choice[],
  out ids uuid[],
  out member_ids uuid[],
  out notes text[]
)
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language sql
as $$
  select coalesce(array_agg(a.id), '{}'), coalesce(array_agg(a.client_id), '{}'), coalesce(array_agg(a.notes), '{}')
  from (
    select c.member_id, array_agg(c.trainer_id) as trainer_ids
    from unnest(p_choices) as c
    where c.outcome in ('assign', 'kept')
    group by c.member_id
  ) as chosen
  join public.trainer_client_assignments a
    on a.client_id = chosen.member_id
    and a.status = 'active'
    and a.policy_version is not null
    and a.trainer_id <> all (chosen.trainer_ids)
$$;

revoke execute on function assignment.find_replaced(assignment.choice[]) from public;
comment on function assignment.find_replaced(assignment.choice[]) is
  'The active assignments that a policy chose and that are none of the choices, with their members and notes.';

-- migrate:down
drop function if exists assignment.find_replaced(assignment.choice[]);
