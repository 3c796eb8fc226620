-- Finds the members that a run by the policy missed: the policy would assign them now, and no error is recorded.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_policy_stragglers(p_run assignment.backfill_runs, p_upper_id uuid)
  returns setof uuid
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_document jsonb;
  v_rules assignment.policy_rules[];
  v_ids uuid[];
  v_request assignment.request := assignment.run_request(p_run);
  v_choices assignment.choice[];
  -- Room that came after the run had looked at a member shows nothing missed.
  v_limited uuid[] := array(select trainer_id from assignment.trainers where capacity is not null);
begin
  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document, v_rules
  from assignment.policies p
  where p.version = p_run.policy_version;

  for v_ids in
    select array_agg(u.id)
    from (
      select m.id, (row_number() over (order by m.id) - 1) / 20000 as batch
      from assignment.find_undecided_members(p_run.policy_version, p_upper_id, p_run.reassigns) as m (id)
    ) as u
    group by u.batch
    order by u.batch
  loop
    v_choices := array(
      select c
      from assignment.read_members(v_ids) as m
      cross join lateral assignment.choose(v_request, v_document, v_rules, m.member_ids, m.member_rows, v_limited) as c
    );
    return query
    select distinct c.member_id
    from unnest(v_choices) as c
    where (
        c.outcome in ('assign', 'no_room')
        or (
          p_run.reassigns
          and not p_run.dry_run  -- replaces nothing
          and c.member_id in (select unnest(r.member_ids) from assignment.find_replaced(v_choices) as r)
        )
      )
      and not exists (select from assignment.backfill_errors e where e.run_id = p_run.id and e.member_id = c.member_id)
      and (
        not p_run.only_failed
        or exists (select from assignment.backfill_errors e where e.run_id = p_run.retry_of and e.member_id = c.member_id)
      );
  end loop;
end;
$$;

revoke execute on function assignment.find_policy_stragglers(assignment.backfill_runs, uuid) from public;
comment on function assignment.find_policy_stragglers(assignment.backfill_runs, uuid) is
  'The proof of a run by the policy as a query: members up to p_upper_id that it should have assigned and did not.';

-- migrate:down
drop function if exists assignment.find_policy_stragglers(assignment.backfill_runs, uuid);
