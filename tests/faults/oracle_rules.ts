import type { Feature } from "./left_out.ts";
import type { OracleOptions } from "./oracle.ts";

/**
 * An invariant as a query for what breaks it: one text a row. The temporary tables of oracle_tables.ts hold what callers
 * were told; $1 is the default trainer.
 */
export interface Rule {
  name: string;
  applies(options: OracleOptions): boolean;
  /** Without these it says nothing. */
  needs?: readonly Feature[];
  query: string;
}

const always = () => true;

export const rules: readonly Rule[] = [
  {
    name: "who was acknowledged exists",
    applies: always,
    query: `
      select format('member %s', j.id)
      from journal j
      where j.exists = 'yes' and not exists (select from public.members m where m.id = j.id)
    `,
  },
  {
    name: "who was refused does not exist",
    applies: always,
    query: `
      select format('member %s', m.id) from journal j join public.members m on m.id = j.id where j.exists in ('no', 'left')
    `,
  },
  {
    name: "a statement happens whole or not at all",
    applies: always,
    query: `
      select format('statement %s: %s of %s members exist', j.statement, count(m.id), count(*))
      from journal j
      left join public.members m on m.id = j.id
      where j.exists = 'maybe'
      group by j.statement
      having count(m.id) not in (0, count(*))
    `,
  },
  {
    name: "nobody exists whom nobody signed up",
    applies: always,
    query: `
      select format('member %s', m.id)
      from public.members m
      where m.id <> $1 and not exists (select from journal j where j.id = m.id)
    `,
  },
  {
    name: "each member has exactly one of assignment, failure, ended assignment",
    applies: always,
    query: `
      select format('member %s has %s', m.id, case
        when state.active and state.failed then 'an assignment and a failure'
        when state.ended and state.failed then 'an ended assignment and a failure'
        else 'nothing'
      end)
      from public.members m
      cross join lateral (
        select
          coalesce(bool_or(a.status = 'active'), false) as active,
          coalesce(bool_or(a.ended_because in ('manual', 'direct')) and not bool_or(a.status = 'active'), false) as ended,
          exists (select from assignment.failures f where f.member_id = m.id) as failed,
          exists (select from rules r where r.choose = 'nobody' and left(m.id::text, 1) = any (r.segments))
            or exists (select from assignment.backfill_errors e where e.member_id = m.id and e.sqlstate = 'TA011')
            or exists (
              select
              from direct d
              join assignments_ever e on e.id = d.assignment_id
              where e.client_id = m.id and not e.is_there
            ) as may_have_none
        from public.trainer_client_assignments a
        where a.client_id = m.id
      ) as state
      where m.id <> $1
        and state.active::integer + state.ended::integer + state.failed::integer <> 1
        and not (state.may_have_none and not state.failed)
    `,
  },
  {
    name: "at most one active assignment a pair",
    applies: always,
    query: `
      select format('member %s has %s', client_id, count(*))
      from public.trainer_client_assignments
      where status = 'active'
      group by client_id, trainer_id
      having count(*) > 1
    `,
  },
  {
    name: "what was ended stays ended, and nothing else is",
    applies: always,
    query: `
      select format('member %s was %s with trainer %s and is %s', state.client_id, coalesce(p.standing, 'standing'),
        state.trainer_id, case when state.active then 'active' else 'ended' end)
      from (
        select a.client_id, a.trainer_id, bool_or(a.status = 'active') as active,
          (array_agg(a.ended_run_id order by a.id desc))[1] is not null as was_replaced
        from public.trainer_client_assignments a
        where a.trainer_id is not null
        group by a.client_id, a.trainer_id
      ) as state
      left join pairs p on p.member_id = state.client_id and p.trainer_id = state.trainer_id
      where coalesce(p.standing, 'standing') = case when state.active then 'ended' when not state.was_replaced then 'standing' end
    `,
  },
  {
    name: "an assignment joins two members, and says where it comes from",
    applies: always,
    query: `
      select format('assignment %s, %s', a.id, a.source)
      from public.trainer_client_assignments a
      where not exists (select from public.members m where m.id = a.client_id)
        or not (exists (select from public.members m where m.id = a.trainer_id) or (a.trainer_id is null and a.status = 'inactive'))
        or a.client_id = a.trainer_id
        or (a.source in ('backfill', 'transfer')) <> (a.backfill_run_id is not null)
        or (a.backfill_run_id is not null and not exists (
          select from assignment.backfill_runs r where r.id = a.backfill_run_id and r.kind = a.source and not r.dry_run
        ))
    `,
  },
  {
    name: "a failure is of a member",
    applies: always,
    query: `
      select format('failure of %s', f.member_id)
      from assignment.failures f
      where not exists (select from public.members m where m.id = f.member_id)
    `,
  },
  {
    name: "a run's counters equal the rows that carry its id",
    applies: always,
    query: `
      select format('run %s counts %s successful, %s failed, %s in all of %s members; its rows are %s, its errors %s',
        p.id, p.successful, p.failed, p.processed, seen.members, seen.rows, seen.errors)
      from assignment.backfill_progress p
      cross join lateral (
        select
          (
            select count(distinct (a.client_id, a.assignment_date))
            from assignments_ever a
            where a.backfill_run_id = p.id
              -- who is refused by one of several trainers is counted as failed, and has the others
              and not exists (select from errors_ever e where e.run_id = p.id and e.member_id = a.client_id)
          ) as rows,
          (select count(*) from errors_ever e where e.run_id = p.id) as errors,
          (select count(*) from (
              select id from public.members
              union
              select id from journal j where j.exists in ('left', 'open')
            ) as m
            where m.id <= (select upper_id from assignment.backfill_lanes l where l.run_id = p.id and l.lane > 0 order by upper_id desc limit 1)
          ) as members
      ) as seen
      where (not p.dry_run and p.successful <> seen.rows)
        or least(p.failed, 10000) <> seen.errors
        or p.processed <> p.successful + p.skipped + p.failed
        or (p.kind = 'backfill' and p.processed > seen.members)
    `,
  },
  {
    name: "a run's end is what its counters say",
    applies: always,
    query: `
      select format('run %s %s: processed %s of %s, failed %s, remaining %s', id, status, processed, total, failed, remaining)
      from assignment.backfill_progress
      where (status = 'succeeded' and not (failed = 0 and remaining = 0 and processed = total))
        or (status = 'completed_with_errors' and not (failed > 0 or remaining > 0))
        or (status in ('succeeded', 'completed_with_errors')
          and exists (select from assignment.backfill_lanes l where l.run_id = id and not l.done))
    `,
  },
  {
    name: "every run ends by itself",
    applies: ({ runsEnded }) => runsEnded === true,
    query: `
      select format('run %s is %s', id, status)
      from assignment.backfill_runs
      where status not in ('succeeded', 'completed_with_errors')
    `,
  },
  {
    name: "a batch takes everybody in its range",
    applies: ({ noStragglers }) => noStragglers === true,
    query: `
      select format('the proof of %s %s found members whom its batches had passed over', r.kind, r.id)
      from assignment.backfill_runs r
      where r.sweeps > 0
        and not r.reassigns
    `,
  },
  {
    name: "one event for each change of a run's status",
    applies: always,
    query: `
      select format('run %s: event %s from %s to %s', run_id, id, from_status, to_status)
      from (
        select e.*, lag(to_status) over (partition by run_id order by id) as previous
        from assignment.backfill_events e
      ) as chain
      where from_status is distinct from previous or from_status = to_status
      union all
      select format('run %s is %s, its last event says %s', r.id, r.status, coalesce(last.to_status, 'nothing'))
      from assignment.backfill_runs r
      left join lateral (
        select to_status from assignment.backfill_events e where e.run_id = r.id order by e.id desc limit 1
      ) as last on true
      where last.to_status is distinct from r.status
      union all
      select format('run %s was paused or resumed %s times and has %s events of it', s.run_id, s.known, seen.events)
      from (
        select run_id, count(*) filter (where outcome = 'acknowledged') as known, count(*) filter (where outcome <> 'failed') as most
        from steering
        group by run_id
      ) as s
      cross join lateral (
        select count(*) as events from assignment.backfill_events e where e.run_id = s.run_id and e.actor = 'journal' and e.from_status is not null
      ) as seen
      where seen.events not between s.known and s.most
    `,
  },
  {
    name: "failures are made good",
    applies: ({ drained }) => drained === true,
    query: "select format('%s: %s', sqlstate, message) from assignment.failures",
  },
];
