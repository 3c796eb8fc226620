-- Explains what the policy in force says of one member.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.explain_decision(p_member_id uuid)
  returns jsonb
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  language plpgsql
as $$
declare
  v_policy assignment.policies;
  v_rules assignment.policy_rules[];
  v_members record;
begin
  perform assignment.require_visible_rows();
  select * into v_members from assignment.read_members(array[p_member_id]);
  if v_members.member_ids = '{}' then
    raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
  end if;
  select * into v_policy from assignment.policies order by version desc limit 1;
  v_rules := array(select r from assignment.policy_rules r where r.version = v_policy.version order by r.rule);

  return jsonb_build_object(
    'policy_version', v_policy.version,
    'choices', (
      select jsonb_agg(
        jsonb_build_object('outcome', c.outcome, 'rule', c.rule, 'trainer_id', c.trainer_id) order by c.trainer_id
      )
      from assignment.choose_trainers(v_policy.document, v_rules, v_members.member_ids, v_members.member_rows) as c
    ),
    'rules', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'rule', r.rule,
          'name', r.name,
          'matches', matches.rule is not null,
          'trainers', (
            select coalesce(
              jsonb_agg(
                jsonb_build_object(
                  'trainer_id', t.id,
                  'is_member', t.id = any (assignment.find_members(array[t.id])),
                  'accepts_clients', found.trainer_id is not null,
                  'room', found.room
                )
                order by t.id
              ),
              '[]'
            )
            from unnest(
              case r.choose
                when 'field' then array_remove(array[assignment.read_uuid(v_members.member_rows[1] #>> r.field)], null)
                else r.trainer_ids
              end
            ) as t (id)
            left join assignment.find_room(array[t.id], '{}', '{}', null) as found on true
          )
        )
        order by r.rule
      ), '[]')
      from unnest(v_rules) as r
      -- Each rule by itself: match_rules leaves out rules behind one that always decides.
      left join lateral assignment.match_rules(array[r], v_members.member_rows) as matches on true
    )
  );
end;
$$;

revoke execute on function assignment.explain_decision(uuid) from public;
comment on function assignment.explain_decision(uuid) is
  'What the policy in force says of a member. choices: as of choose_trainers. rules: each rule with whether it matches the
member, and its trainers with their room (null: no limit). Raises TA002 the member does not exist.';

-- migrate:down
drop function if exists assignment.explain_decision(uuid);
