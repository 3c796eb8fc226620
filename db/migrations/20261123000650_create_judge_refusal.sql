-- Decides what an error means for each pair of member and trainer of the failed statement: the member is gone, the pair
-- failed, or it is to be tried again.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.judge_refusal(
  p_member_ids uuid[],
  p_trainer_ids uuid[],
  p_sqlstate text,
  p_message text,
  p_constraint text,
  out gone_ids uuid[],
  out failures assignment.member_failure[],
  out undecided integer[]
)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_failure assignment.member_failure := assignment.explain_refusal(null, p_sqlstate, p_message, p_constraint);
  v_is_trainer_key boolean := p_constraint = 'trainer_client_assignments_trainer_id_fkey';
  v_refused_ids uuid[] := '{}';
begin
  gone_ids := '{}';
  if p_sqlstate = '23503' or cardinality(p_member_ids) = 1 then
    gone_ids := assignment.find_gone_members(p_member_ids);
    v_refused_ids := case
      when not v_is_trainer_key then assignment.find_refused_members(p_member_ids, p_constraint)
      when v_failure.sqlstate = 'TA009' then assignment.find_refused_members(p_trainer_ids, p_constraint)
      else assignment.find_gone_members(p_trainer_ids)
    end;
  end if;
  if cardinality(p_member_ids) = 1 then
    if gone_ids is null  -- who may not look believes the key, where it points at members
      and p_constraint = 'trainer_client_assignments_client_id_fkey'
      and v_failure.sqlstate = '23503'
    then
      gone_ids := p_member_ids;
    end if;
    v_refused_ids := case when v_is_trainer_key then p_trainer_ids else p_member_ids end;
  end if;
  gone_ids := coalesce(gone_ids, '{}');
  v_refused_ids := coalesce(v_refused_ids, '{}');

  select
    coalesce(array_agg(row(p.member_id, v_failure.sqlstate, v_failure.message, null)::assignment.member_failure)
      filter (where p.is_refused and not p.is_gone), '{}'),
    coalesce(array_agg(p.position::integer order by p.position) filter (where not p.is_refused and not p.is_gone), '{}')
  into failures, undecided
  from (
    select
      pair.member_id,
      pair.position,
      pair.member_id in (select unnest(gone_ids)) as is_gone,
      case when v_is_trainer_key then pair.trainer_id else pair.member_id end in (select unnest(v_refused_ids)) as is_refused
    from unnest(p_member_ids, p_trainer_ids) with ordinality as pair (member_id, trainer_id, position)
  ) as p;
end;
$$;

revoke execute on function assignment.judge_refusal(uuid[], uuid[], text, text, text) from public;
comment on function assignment.judge_refusal(uuid[], uuid[], text, text, text) is
  'What an error means for the pairs of one statement: which members are gone, which pairs failed and why, and which, by
position, are still undecided. Only a member whose id is not in public.members counts as gone.';

-- migrate:down
drop function if exists assignment.judge_refusal(uuid[], uuid[], text, text, text);
