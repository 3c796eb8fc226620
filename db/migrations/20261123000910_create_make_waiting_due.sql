-- Makes failures due that wait for room, when room was given back.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.make_waiting_due(p_trainer_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  update assignment.failures f
  set next_attempt_at = now()
  where f.member_id in (
    select w.member_id
    from assignment.failures w
    where w.sqlstate = 'TA011'
      and (
        w.requested_trainer_id = any (p_trainer_ids)
        or w.requested_trainer_id is null and w.rule in (
          select r.rule
          from assignment.policy_rules r
          join assignment.settings s on s.policy_version = r.version
          where r.trainer_ids && p_trainer_ids
            or r.choose = 'field'
          union all
          select 0
          from assignment.settings s
          where s.default_trainer_id = any (p_trainer_ids)
        )
      )
    order by w.first_failed_at, w.member_id
    limit cardinality(p_trainer_ids)
    for update skip locked
  )
$$;

revoke execute on function assignment.make_waiting_due(uuid[]) from public;
comment on function assignment.make_waiting_due(uuid[]) is
  'Makes one failure due for each item, those that wait longest for room of these trainers.';

-- migrate:down
drop function if exists assignment.make_waiting_due(uuid[]);
