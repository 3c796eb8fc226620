-- Makes failures due that wait for room, when room was given back.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.make_waiting_due(p_trainer_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  -- Rules that may give one of these trainers; the default trainer comes after all rules.
  with given as materialized (
    select r.rule, r.choose = 'field' as is_named
    from assignment.policy_rules r
    join assignment.settings s on s.policy_version = r.version
    where r.trainer_ids && p_trainer_ids
      or r.choose = 'field'
    union all
    select 32767, false
    from assignment.settings s
    where s.default_trainer_id = any (p_trainer_ids)
  )
  update assignment.failures f
  set next_attempt_at = now()
  where f.member_id = any (
    -- Who waits for one of these trainers: one for each seat.
    array(
      select w.member_id
      from assignment.failures w
      where w.sqlstate = 'TA011'
        and (
          w.requested_trainer_id = any (p_trainer_ids)
          or w.requested_trainer_id is null
            and coalesce(nullif(w.rule, 0), 32767) in (select g.rule from given g where not g.is_named)
        )
      order by w.first_failed_at, w.member_id
      limit cardinality(p_trainer_ids)
      for update skip locked
    )
    -- Who may have named one of them, or may match an earlier rule.
    || array(
      select w.member_id
      from assignment.failures w
      where w.sqlstate = 'TA011'
        and w.requested_trainer_id is null
        and exists (
          select
          from given g
          where g.rule < coalesce(nullif(w.rule, 0), 32767)
            or (g.is_named and g.rule = w.rule)
        )
      order by w.first_failed_at, w.member_id
      limit 100
      for update skip locked
    )
  )
$$;

revoke execute on function assignment.make_waiting_due(uuid[]) from public;
comment on function assignment.make_waiting_due(uuid[]) is
  'Makes one failure due for each item, those that wait longest for room of these trainers, and up to 100 that may wait for
it: those at a rule that chooses a field, or behind an earlier rule that has room now.';

-- migrate:down
drop function if exists assignment.make_waiting_due(uuid[]);
