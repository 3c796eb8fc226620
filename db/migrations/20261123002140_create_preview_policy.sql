-- Previews a draft of the policy over all members, or over a sample of them. It writes nothing: in a READ ONLY transaction
-- it says the same.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.preview_policy(p_document jsonb, p_percent real default 100)
  returns jsonb
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set extra_float_digits = 1
  set jit = off
  set work_mem = '32MB'
  language plpgsql
as $$
declare
  v_rules assignment.policy_rules[] := array(select r from assignment.compile_rules(p_document, 0) as r);
  v_has_json boolean := exists (select from assignment.member_columns where type = 'json');
  v_document_now jsonb;
  v_rules_now assignment.policy_rules[];
  v_taken assignment.trainer_count[];
  v_batch record;
  v_members bigint := 0;
  v_changed bigint := 0;
  v_outcomes jsonb := '[]';
  v_shares jsonb := '[]';
begin
  perform assignment.require_visible_rows();
  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document_now, v_rules_now
  from assignment.policies p
  order by p.version desc
  limit 1;

  v_taken := assignment.count_unsampled_seats(p_percent);

  for v_batch in
    select array_agg(m.id order by m.id) as ids, array_agg(m.member_row order by m.id) as rows
    from (
      select
        m.id,
        case when v_has_json then assignment.as_jsonb(to_json(m)) else to_jsonb(m) end as member_row,
        (row_number() over (order by m.id) - 1) / 20000 as batch
      from public.members m tablesample bernoulli (p_percent) repeatable (1)
      where m.id is not null
    ) as m
    group by m.batch
    order by m.batch
  loop
    v_members := v_members + cardinality(v_batch.ids);

    -- What a run would do now.
    with chosen as materialized (
      select *
      from assignment.choose_trainers(p_document, v_rules, v_batch.ids, v_batch.rows, p_taken => v_taken)
    )
    select
      (
        select jsonb_agg(to_jsonb(t))
        from (
          select o.rule, o.trainer_id, o.outcome, sum(o.members)::bigint as members
          from (
            select c.rule, c.trainer_id, c.outcome, count(*) as members
            from chosen c
            group by c.rule, c.trainer_id, c.outcome
            union all
            select * from jsonb_to_recordset(v_outcomes) as o (rule smallint, trainer_id uuid, outcome text, members bigint)
          ) as o
          group by o.rule, o.trainer_id, o.outcome
        ) as t
      ),
      array(
        select row(t.trainer_id, sum(t.members))::assignment.trainer_count
        from (
          select taken.trainer_id, taken.members from unnest(v_taken) as taken
          union all
          select c.trainer_id, 1 from chosen c where c.outcome = 'assign'
        ) as t
        group by t.trainer_id
      )
    into v_outcomes, v_taken;

    -- Who would train each of them, had they signed up with this policy, or with the one in force, and were there room.
    with draft as materialized (
      select c.member_id, array_agg(c.trainer_id order by c.trainer_id) as trainer_ids
      from assignment.choose_trainers(p_document, v_rules, v_batch.ids, v_batch.rows, 'first', '{}', null) as c
      group by c.member_id
    ),
    in_force as materialized (
      select c.member_id, array_agg(c.trainer_id order by c.trainer_id) as trainer_ids
      from assignment.choose_trainers(v_document_now, v_rules_now, v_batch.ids, v_batch.rows, 'first', '{}', null) as c
      group by c.member_id
    )
    select
      v_changed + (
        select count(*) from draft d join in_force f on f.member_id = d.member_id where f.trainer_ids <> d.trainer_ids
      ),
      (
        select jsonb_agg(to_jsonb(t))
        from (
          select s.trainer_id, sum(s.before)::bigint as before, sum(s.after)::bigint as after
          from (
            select unnest(f.trainer_ids) as trainer_id, 1 as before, 0 as after from in_force f
            union all
            select unnest(d.trainer_ids), 0, 1 from draft d
            union all
            select * from jsonb_to_recordset(v_shares) as s (trainer_id uuid, before bigint, after bigint)
          ) as s
          group by s.trainer_id
        ) as t
      )
    into v_changed, v_shares;
  end loop;

  return jsonb_build_object('members', v_members, 'changed', v_changed, 'outcomes', v_outcomes, 'shares', v_shares);
end;
$$;

revoke execute on function assignment.preview_policy(jsonb, real) from public;
comment on function assignment.preview_policy(jsonb, real) is
  'What a draft of the policy would do, over p_percent of the members; all counts are of those.
outcomes: what a run would do now, as members by rule, trainer and outcome of choose_trainers.
changed: members who, signing up now, would get other trainers than by the policy in force. shares: such signups by trainer
(null: none), by the policy in force (before) and by the draft (after), ignoring capacities.';

-- migrate:down
drop function if exists assignment.preview_policy(jsonb, real);
