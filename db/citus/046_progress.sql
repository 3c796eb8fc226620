-- What a run has done, by a function each, for a view of the coordinator's runs cannot look into the shards.
create function assignment.count_lanes(p_run_id uuid)
  returns table (
    successful bigint, skipped bigint, failed bigint, already_assigned bigint, ended bigint, is_trainer bigint,
    member_gone bigint, excluded bigint, not_selected bigint
  )
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query
  select
    coalesce(sum(l.successful), 0)::bigint,
    coalesce(sum(l.already_assigned + l.ended + l.is_trainer + l.member_gone + l.excluded + l.not_selected), 0)::bigint,
    coalesce(sum(l.failed), 0)::bigint,
    coalesce(sum(l.already_assigned), 0)::bigint,
    coalesce(sum(l.ended), 0)::bigint,
    coalesce(sum(l.is_trainer), 0)::bigint,
    coalesce(sum(l.member_gone), 0)::bigint,
    coalesce(sum(l.excluded), 0)::bigint,
    coalesce(sum(l.not_selected), 0)::bigint
  from assignment.backfill_lanes l
  where l.run_id = p_run_id;
end;
$$;

create function assignment.list_choices(p_run_id uuid)
  returns table (rule smallint, trainer_id uuid, members bigint)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query
  select b.rule, b.trainer_id, sum(b.members)::bigint
  from assignment.backfill_choices b
  where b.run_id = p_run_id
  group by b.rule, b.trainer_id;
end;
$$;

create function assignment.list_rule_names(p_version integer)
  returns table (rule smallint, name text)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query select p.rule, p.name from assignment.policy_rules p where p.version = p_version;
end;
$$;

create function assignment.list_samples(p_run_id uuid)
  returns table (at timestamptz, processed bigint)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return query
  select s.at, sum(s.processed)::bigint from assignment.backfill_samples s where s.run_id = p_run_id group by s.at;
end;
$$;

create or replace view assignment.backfill_progress as
select
  r.id,
  r.kind,
  r.from_trainer_id,
  r.trainer_id,
  r.policy_version,
  r.status,
  r.dry_run,
  r.reassigns as reassign,
  r.condition,
  r.only_selected,
  r.notes,
  r.batch_rows,
  r.retry_of,
  r.requested_by,
  r.requested_at,
  r.started_at,
  r.finished_at,
  greatest(r.total, l.successful + l.skipped + l.failed) as total,
  r.total_is_estimate,
  l.successful + l.skipped + l.failed as processed,
  l.successful,
  l.skipped,
  l.failed,
  l.already_assigned,
  l.ended,
  l.is_trainer,
  l.member_gone,
  l.excluded,
  l.not_selected,
  (
    select coalesce(jsonb_agg(to_jsonb(c) order by c.rule, c.trainer_id), '[]')
    from (
      select nullif(b.rule, 0) as rule, p.name as rule_name, b.trainer_id, b.members
      from assignment.list_choices(r.id) b
      left join assignment.list_rule_names(r.policy_version) p on p.rule = b.rule
      order by b.members desc, b.rule, b.trainer_id
      limit 1000  -- a rule that chooses a field can name any number of trainers
    ) as c
  ) as choices,
  r.remaining,
  case when r.status = 'paused' then r.status_reason end as pause_reason,
  case when r.status = 'running' then r.throttled_because end as throttled_because,
  r.replica_lag,
  r.lock_waiters,
  s.rate_per_second,
  case
    when r.status = 'running' and r.throttled_because is null and s.rate_per_second > 0
    then greatest(0, ceil((r.total - l.successful - l.skipped - l.failed) / s.rate_per_second))::bigint
  end as eta_seconds
from assignment.backfill_runs r
cross join lateral assignment.count_lanes(r.id) as l
cross join lateral (
  -- While running: the rate since the run started or resumed, at most of the last 60 s. Null in the first 3 s.
  -- Once ended: the average over the seconds in which it processed members.
  select case
    when r.status = 'running' and extract(epoch from clock_timestamp() - span.since) >= 3
    then (select coalesce(sum(s.processed), 0) from assignment.list_samples(r.id) s where s.at >= span.since)
      / extract(epoch from clock_timestamp() - span.since)::float8
    when r.status in ('cancelled', 'succeeded', 'completed_with_errors')
    then (
      select sum(processed) / count(distinct at)::float8
      from assignment.list_samples(r.id)
    )
  end as rate_per_second
  from (
    select date_trunc('second', greatest(
      clock_timestamp() - interval '60 seconds',
      (select max(at) from assignment.backfill_events where run_id = r.id and to_status = 'running')
    )) as since
  ) as span
) as s;
