import type { Rule } from "./oracle_rules.ts";

const always = () => true;

/** The audit log: one line for each change, none without, in the transaction of the change. */
export const auditRules: readonly Rule[] = [
  {
    name: "one line for each journaled change, none without",
    applies: always,
    query: `
      select format('%s of %s has %s lines, of %s to %s', e.line, e.request_id, seen.lines, e.least, e.most)
      from expected_lines e
      cross join lateral (
        select count(*) as lines from audit l where l.request_id = e.request_id and l.action = e.line and l.actor = 'journal'
      ) as seen
      where seen.lines not between e.least and e.most
      union all
      select format('line %s of request %s: %s', l.id, coalesce(l.request_id, 'none'), l.action)
      from audit l
      where l.actor = 'journal'
        and not exists (
          select from expected_lines e where e.request_id = l.request_id and e.line = l.action and e.most > 0
        )
    `,
  },
  {
    name: "one line for each version of the policy",
    applies: always,
    query: `
      select format('version %s by %s has %s lines', p.version, p.created_by, seen.lines)
      from assignment.policies p
      cross join lateral (
        select count(*) as lines
        from audit l
        where l.action = 'policy.changed'
          and l.subject = 'policy:' || p.version
          and l.actor = p.created_by
          and l.before = jsonb_build_object('version', p.version - 1)
      ) as seen
      where p.version > 1 and seen.lines <> 1
      union all
      select format('line %s of %s', l.id, l.subject)
      from audit l
      where l.action = 'policy.changed'
        and not exists (select from assignment.policies p where l.subject = 'policy:' || p.version)
    `,
  },
  {
    name: "one line for each event of a run",
    applies: always,
    query: `
      select format('run %s, %s by %s: %s events, %s lines', run_id, action, actor, events.count, lines.count)
      from (
        select e.run_id, e.actor, count(*), case
          when e.from_status is null then 'run.started'
          when e.to_status = 'running' then 'run.resumed'
          when e.to_status in ('paused', 'cancelled') then 'run.' || e.to_status
          else 'run.ended'
        end as action
        from assignment.backfill_events e
        group by 1, 2, 4
      ) as events
      full join (
        select substr(l.subject, 5)::uuid as run_id, l.actor, l.action, count(*)
        from audit l
        where l.action like 'run.%'
        group by 1, 2, 3
      ) as lines using (run_id, actor, action)
      where events.count is distinct from lines.count
    `,
  },
  {
    name: "one line for each assignment made or ended by hand",
    applies: always,
    query: `
      select format('assignment %s, %s by %s: %s lines', changed.id, changed.action, changed.actor, seen.lines)
      from (
        select id, trainer_id, 'assignment.made' as action, assigned_by as actor from assignments_ever where source = 'manual'
        union all
        select id, trainer_id, 'assignment.ended', ended_by from assignments_ever where ended_because = 'manual'
      ) as changed
      cross join lateral (
        select count(*) as lines
        from audit l
        where l.subject = 'assignment:' || changed.id
          and l.action = changed.action
          and l.actor = changed.actor
          and l.trainer_ids = array[changed.trainer_id]
      ) as seen
      where seen.lines <> 1
      union all
      select format('line %s: %s of %s', l.id, l.action, l.subject)
      from audit l
      where l.action in ('assignment.made', 'assignment.ended')
        and not exists (
          select
          from assignments_ever a
          where l.subject = 'assignment:' || a.id
            and case l.action when 'assignment.made' then a.source = 'manual' else a.ended_because = 'manual' end
        )
    `,
  },
  {
    name: "one line for each statement past the service",
    applies: always,
    needs: ["one line a statement"],
    query: `
      with statements as (
        select statement, line, outcome, count(*), jsonb_agg(assignment_id order by assignment_id) as ids
        from direct
        group by statement, line, outcome
      )
      select format('statement %s, %s: %s lines', s.statement, s.outcome, seen.lines)
      from statements s
      cross join lateral (
        select count(*) as lines
        from audit l
        where l.action = s.line
          and l.after -> 'assignmentIds' = s.ids
          and (l.after ->> case s.line when 'assignments.changed' then 'ended' else 'deleted' end)::integer = s.count
      ) as seen
      where s.outcome = 'acknowledged' and seen.lines <> 1
      union all
      select format('line %s: %s', l.id, l.action)
      from audit l
      where l.action in ('assignments.changed', 'assignments.deleted')
        and not exists (
          select from statements s where l.action = s.line and l.after -> 'assignmentIds' = s.ids and s.outcome <> 'failed'
        )
    `,
  },
  {
    name: "what was ended past the service says by which role",
    applies: always,
    query: `
      select format('assignment %s: ended by %s, told of %s', a.id, a.ended_by, coalesce(l.database_role, 'nobody'))
      from assignments_ever a
      left join audit l
        on l.action = 'assignments.changed'
        and l.after -> 'assignmentIds' ? a.id::text
      where a.ended_because = 'direct'
        and l.database_role is distinct from a.ended_by
    `,
  },
  {
    name: "one line for each statement that deleted members",
    applies: always,
    query: `
      select format('%s lines of deleted members, %s to %s statements', seen.lines, done.least, done.most)
      from
        (select count(*) as lines from audit where action = 'members.deleted') as seen,
        (
          select count(*) filter (where outcome = 'acknowledged') as least, count(*) filter (where outcome <> 'failed') as most
          from leavings
        ) as done
      where seen.lines not between done.least and done.most
    `,
  },
  {
    name: "the log tells nothing of clients who have left",
    applies: always,
    query: `
      select format('line %s of %s names member %s', l.id, l.action, j.id)
      from audit l
      cross join lateral regexp_matches(
        concat_ws(' ', l.actor, l.subject, l.before, l.after), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g'
      ) as found (ids)
      join journal j on j.id = found.ids[1]::uuid and j.exists = 'left'
      where not exists (select from assignments_ever a where a.trainer_id = j.id)
        and not exists (select from assignment.backfill_runs r where r.from_trainer_id = j.id)
    `,
  },
  {
    name: "a line is written in the transaction of its change",
    applies: always,
    needs: ["commit times"],
    query: `
      select format('%s of %s at %s, the change at %s', l.action, l.subject, written.line_at, written.change_at)
      from (
        select 'policy:' || version as subject, 'policy.changed' as action, xmin as written_by from assignment.policies
        union all
        select 'assignment:' || id, 'assignment.made', written_by
        from assignments_ever
        where source = 'manual' and status = 'active' and is_there
        union all
        select 'assignment:' || id, 'assignment.ended', written_by
        from assignments_ever
        where ended_because = 'manual' and is_there
          and not exists (select from journal j where j.id = trainer_id and j.exists <> 'yes')  -- that ends the trainer's name
        union all
        select 'run:' || run_id, 'run.started', xmin from assignment.backfill_events where from_status is null
        union all
        select 'run:' || run_id, 'run.ended', xmin from assignment.backfill_events
        where to_status in ('succeeded', 'completed_with_errors')
      ) as change
      join audit l on l.subject = change.subject and l.action = change.action
      cross join lateral (
        select pg_xact_commit_timestamp(l.written_by) as line_at, pg_xact_commit_timestamp(change.written_by) as change_at
        where current_setting('track_commit_timestamp') = 'on'
      ) as written
      where written.line_at <> written.change_at
    `,
  },
];
