-- Finds the members for whom a run by the policy has to be proven: those to whom its version has given nobody.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_undecided_members(p_version integer, p_upper_id uuid, p_reassigns boolean default false)
  returns setof uuid
  stable
  set search_path = pg_catalog, pg_temp
  set enable_nestloop = off  -- it reads all members once, whatever the statistics say
  set jit = off  -- before PostgreSQL 18, a disabled plan type raises the cost, which would start the compiler
  set plan_cache_mode = force_custom_plan
  language plpgsql
as $$
begin
  if p_reassigns then
    return query select m.id from public.members m where m.id <= p_upper_id;
    return;
  end if;
  return query
  select m.id
  from public.members m
  where m.id <= p_upper_id
    and not exists (  -- or-ed with p_reassigns, it would be no anti-join
      select
      from public.trainer_client_assignments a
      where a.client_id = m.id
        and a.policy_version = p_version
    );
end;
$$;

revoke execute on function assignment.find_undecided_members(integer, uuid, boolean) from public;
comment on function assignment.find_undecided_members(integer, uuid, boolean) is
  'Members up to p_upper_id without an assignment, active or ended, that this version of the policy made. p_reassigns: all.';

-- migrate:down
drop function if exists assignment.find_undecided_members(integer, uuid, boolean);
