-- Assigns a batch of members as a version of the policy says.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_by_policy(
  p_version integer,
  p_member_ids uuid[],
  p_rows jsonb[],
  p_source text,
  p_run_id uuid default null,
  p_keep_met boolean default true,
  p_max_attempts integer default null
)
  returns assignment.batch_result
  volatile
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
declare
  v_document jsonb;
  v_rules assignment.policy_rules[];
  v_ids uuid[] := p_member_ids;
  v_rows jsonb[] := p_rows;
  v_choices assignment.choice[];
  v_pair_members uuid[];
  v_pair_trainers uuid[];
  v_pair_rules smallint[];
  v_pairs assignment.pairs_result;
  v_full uuid[] := '{}';
  v_done assignment.choice[] := '{}';
  v_gone_ids uuid[] := '{}';
  v_failures assignment.member_failure[] := '{}';
begin
  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document, v_rules
  from assignment.policies p
  where p.version = p_version;
  if not found then
    raise exception 'the policy has no version %', p_version using errcode = 'TA014';
  end if;

  loop
    v_choices := array(
      select c from assignment.choose_trainers(v_document, v_rules, v_ids, v_rows, p_keep_met, v_full) as c
    );
    select
      coalesce(array_agg(c.member_id), '{}'),
      coalesce(array_agg(c.trainer_id), '{}'),
      coalesce(array_agg(coalesce(c.rule, 0::smallint)), '{}')
    into v_pair_members, v_pair_trainers, v_pair_rules
    from unnest(v_choices) as c
    where c.outcome = 'assign';

    v_pairs := assignment.assign_members(
      v_pair_members,
      v_pair_trainers,
      v_pair_rules,
      p_source,
      p_policy_version => p_version,
      p_run_id => p_run_id,
      p_max_attempts => p_max_attempts
    );
    v_gone_ids := v_gone_ids || v_pairs.gone_ids;
    v_failures := v_failures || v_pairs.failures;
    v_done := v_done
      || array(select c from unnest(v_choices) as c where c.outcome <> 'assign')
      || array(
        select row(
          v_pair_members[i],
          v_pair_trainers[i],
          nullif(v_pair_rules[i], 0),
          case when i in (select unnest(v_pairs.assigned)) then 'assigned' else 'assign' end
        )::assignment.choice
        from generate_subscripts(v_pair_members, 1) as i
        where i not in (select unnest(v_pairs.full_pairs))
      );

    -- Where another session took the last seat, these members choose again, without that trainer.
    exit when v_pairs.full_pairs = '{}';
    v_full := v_full || array(select distinct v_pair_trainers[i] from unnest(v_pairs.full_pairs) as i);
    select array_agg(m.id order by m.place), array_agg(m.member_row order by m.place)
    into v_ids, v_rows
    from unnest(v_ids, v_rows) with ordinality as m (id, member_row, place)
    where m.id in (select v_pair_members[i] from unnest(v_pairs.full_pairs) as i);
  end loop;
  return assignment.count_choices(v_done, v_rules, v_gone_ids, v_failures);
end;
$$;

revoke execute on function assignment.assign_by_policy(integer, uuid[], jsonb[], text, uuid, boolean, integer) from public;
comment on function assignment.assign_by_policy(integer, uuid[], jsonb[], text, uuid, boolean, integer) is
  'Assigns members, given with their rows, as a version of the policy says, and counts the results. Members for whom no
trainer has room are among the failures (TA011). Raises as assign_members does, and TA014 no such version.';

-- migrate:down
drop function if exists assignment.assign_by_policy(integer, uuid[], jsonb[], text, uuid, boolean, integer);
