-- The state of a run: its record, the sums of its lanes, and its rate. The API and the admin page show this view.
-- Locks: none. Reversible.

-- migrate:up
create view assignment.backfill_progress as
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
      select nullif(b.rule, 0) as rule, p.name as rule_name, b.trainer_id, sum(b.members)::bigint as members
      from assignment.backfill_choices b
      left join assignment.policy_rules p on p.version = r.policy_version and p.rule = b.rule
      where b.run_id = r.id
      group by b.rule, p.name, b.trainer_id
      order by sum(b.members) desc, b.rule, b.trainer_id
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
cross join lateral (
  select
    coalesce(sum(successful), 0)::bigint as successful,
    coalesce(sum(already_assigned + ended + is_trainer + member_gone + excluded + not_selected), 0)::bigint as skipped,
    coalesce(sum(failed), 0)::bigint as failed,
    coalesce(sum(already_assigned), 0)::bigint as already_assigned,
    coalesce(sum(ended), 0)::bigint as ended,
    coalesce(sum(is_trainer), 0)::bigint as is_trainer,
    coalesce(sum(member_gone), 0)::bigint as member_gone,
    coalesce(sum(excluded), 0)::bigint as excluded,
    coalesce(sum(not_selected), 0)::bigint as not_selected
  from assignment.backfill_lanes
  where run_id = r.id
) as l
cross join lateral (
  -- While running: the rate since the run started or resumed, at most of the last 60 s. Null in the first 3 s.
  -- Once ended: the average over the seconds in which it processed members.
  select case
    when r.status = 'running' and extract(epoch from clock_timestamp() - span.since) >= 3
    then (select coalesce(sum(processed), 0) from assignment.backfill_samples where run_id = r.id and at >= span.since)
      / extract(epoch from clock_timestamp() - span.since)::float8
    when r.status in ('cancelled', 'succeeded', 'completed_with_errors')
    then (
      select sum(processed) / count(distinct at)::float8
      from assignment.backfill_samples
      where run_id = r.id
    )
  end as rate_per_second
  from (
    select date_trunc('second', greatest(
      clock_timestamp() - interval '60 seconds',
      (select max(at) from assignment.backfill_events where run_id = r.id and to_status = 'running')
    )) as since
  ) as span
) as s;

comment on view assignment.backfill_progress is
  'The current state of each run. In every snapshot, successful + skipped + failed = processed, and total ≥ processed.
eta_seconds is null while the run is paused, throttled or not yet measured.';

-- migrate:down
drop view if exists assignment.backfill_progress;
