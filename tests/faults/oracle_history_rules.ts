import type { Rule } from "./oracle_rules.ts";

const always = () => true;

/** What rows tell of themselves, and what transfers and reassigning runs may do with them. */
export const historyRules: readonly Rule[] = [
  {
    name: "a row says who assigned",
    applies: always,
    query: `
      select format('assignment %s by %s: assigned by %s', a.id, a.source, a.assigned_by)
      from assignments_ever a
      left join assignment.backfill_runs r on r.id = a.backfill_run_id
      where a.assigned_by is distinct from case
        when a.backfill_run_id is not null then r.requested_by
        when a.source in ('trigger', 'retry') then a.source
        else a.assigned_by
      end
    `,
  },
  {
    name: "an ended row says who ended it, when and why",
    applies: always,
    query: `
      select format('assignment %s is %s: ended at %s, by %s, because %s', a.id, a.status, a.ended_at, a.ended_by, a.ended_because)
      from assignments_ever a
      where case a.status
        when 'active' then num_nonnulls(a.ended_at, a.ended_by, a.ended_because, a.ended_run_id) > 0
        else num_nulls(a.ended_at, a.ended_by, a.ended_because) > 0 or a.ended_at < a.assignment_date
      end
    `,
  },
  {
    name: "what a run ended says which run, and by whom",
    applies: always,
    query: `
      select format('assignment %s: ended by %s because %s, run %s', a.id, a.ended_by, a.ended_because, a.ended_run_id)
      from assignments_ever a
      left join assignment.backfill_runs r on r.id = a.ended_run_id
      where case a.ended_because
        when 'transfer' then (r.kind = 'transfer' and not r.dry_run and r.requested_by = a.ended_by and r.from_trainer_id = a.trainer_id) is not true
        when 'reassign' then (r.reassigns and not r.dry_run and r.requested_by = a.ended_by) is not true
        else a.ended_run_id is not null
      end
    `,
  },
  {
    name: "a run leaves what a person assigned",
    applies: always,
    query: `
      select format('assignment %s by %s was ended by a reassigning run', a.id, a.source)
      from assignments_ever a
      where a.ended_because = 'reassign'
        and a.policy_version is null
    `,
  },
  {
    name: "whom a run takes from a trainer has another",
    applies: always,
    query: `
      select format('%s %s ended assignment %s of member %s, and gave nothing', r.kind, r.id, e.id, e.client_id)
      from assignments_ever e
      join assignment.backfill_runs r on r.id = e.ended_run_id
      where not exists (
        select
        from assignments_ever n
        where n.client_id = e.client_id
          and n.id <> e.id
          and n.trainer_id <> e.trainer_id
          and n.assignment_date <= coalesce(r.finished_at, 'infinity')
          and (n.backfill_run_id = r.id or n.status = 'active' or not n.is_there or n.ended_at >= r.requested_at)
      )
    `,
  },
  {
    name: "whom a transfer gives a trainer, it takes from the former one",
    applies: always,
    query: `
      select format('transfer %s made assignment %s of member %s, and ended nothing', r.id, n.id, n.client_id)
      from assignments_ever n
      join assignment.backfill_runs r on r.id = n.backfill_run_id and r.kind = 'transfer'
      where not exists (
        select from assignments_ever e where e.client_id = n.client_id and e.ended_run_id = r.id
      )
    `,
  },
  {
    name: "a run gives nobody back to whom it takes them from",
    applies: always,
    query: `
      select format('transfer %s gave member %s to the trainer who is left', r.id, n.client_id)
      from assignments_ever n
      join assignment.backfill_runs r on r.id = n.backfill_run_id
      where n.trainer_id = r.from_trainer_id
      union all
      select format('run %s ended %s assignments of member %s to one trainer', a.ended_run_id, count(*), a.client_id)
      from assignments_ever a
      where a.ended_run_id is not null
      group by a.ended_run_id, a.client_id, a.trainer_id
      having count(*) > 1
    `,
  },
  {
    name: "no run makes again what was ended by hand",
    applies: always,
    needs: ["commit times"],
    query: `
      select format('run %s made assignment %s of member %s again', r.id, n.id, n.client_id)
      from assignments_ever n
      join assignment.backfill_runs r on r.id = n.backfill_run_id
      join assignments_ever o
        on o.client_id = n.client_id
        and o.trainer_id = n.trainer_id
        and o.ended_because in ('manual', 'direct')
        and o.written_by is not null
      where current_setting('track_commit_timestamp') = 'on'
        and pg_xact_commit_timestamp(o.written_by) < r.requested_at
    `,
  },
  {
    name: "a transfer leaves nobody behind without saying so",
    applies: always,
    query: `
      select format('transfer %s %s: member %s still had the trainer then', r.id, r.status, t.client_id)
      from transferred t
      join audit l on l.request_id = t.request_id and l.action = 'run.started'
      join assignment.backfill_runs r on l.subject = 'run:' || r.id
      join public.trainer_client_assignments a
        on a.id = t.assignment_id
        and (a.status = 'active' or a.ended_at > r.finished_at)
      where r.status in ('succeeded', 'completed_with_errors')
        and r.remaining = 0
        and not r.dry_run
        and not exists (select from errors_ever e where e.run_id = r.id and e.member_id = t.client_id)
    `,
  },
  {
    name: "a transfer moves only whom it is asked to",
    applies: always,
    query: `
      select format('transfer %s moved member %s', r.id, n.client_id)
      from assignments_ever n
      join assignment.backfill_runs r on r.id = n.backfill_run_id
      where n.is_there
        and (
          (r.only_selected and not exists (
            select from assignment.backfill_selected s where s.run_id = r.id and s.member_id = n.client_id
          ))
          or (r.only_failed and not exists (
            select from errors_ever e where e.run_id = r.retry_of and e.member_id = n.client_id
          ))
          or not (r.condition is null or r.condition -> 'value' ? left(n.client_id::text, 1))
        )
    `,
  },
];
