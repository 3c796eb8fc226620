-- Finds members who lost, meanwhile, the assignment that a new one should have replaced.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_left_members(
  p_member_ids uuid[],
  p_ending uuid[],
  p_replaced_ids uuid[],
  p_replaced_members uuid[]
)
  returns integer[]
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language sql
as $$
  select coalesce(array_agg(m.position::integer), '{}')
  from unnest(p_member_ids) with ordinality as m (id, position)
  where m.id in (
    select r.member_id
    from unnest(p_replaced_ids, p_replaced_members) as r (id, member_id)
    where r.id in (select unnest(p_ending))
      and not exists (
        select
        from public.trainer_client_assignments a
        where a.id = r.id
          and a.status = 'active'
      )
  )
$$;

revoke execute on function assignment.find_left_members(uuid[], uuid[], uuid[], uuid[]) from public;
comment on function assignment.find_left_members(uuid[], uuid[], uuid[], uuid[]) is
  'The positions of the members of whom an assignment in p_ending is no longer active.';

-- migrate:down
drop function if exists assignment.find_left_members(uuid[], uuid[], uuid[], uuid[]);
