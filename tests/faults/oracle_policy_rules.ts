import type { Rule } from "./oracle_rules.ts";

/**
 * The rules of all policies as the oracle reads them: not the compiled ones, and matched by the first digit of a member's
 * id, which the experiments' conditions ask.
 */
export const rulesTable = `
  create temporary table rules on commit drop as
  select
    p.version,
    r.rule,
    (select array_agg(v.value #>> '{}') from jsonb_path_query(r.body, '$.when.value[*]') as v (value)) as segments,
    r.body #>> '{assign,choose}' as choose,
    r.body #>> '{assign,whenFull}' as when_full,
    array(select (t.value ->> 'trainerId')::uuid from jsonb_array_elements(r.body #> '{assign,trainers}') as t) as trainer_ids
  from assignment.policies p
  cross join lateral jsonb_array_elements(p.document -> 'rules') with ordinality as r (body, rule)
`;

const always = () => true;

export const policyRules: readonly Rule[] = [
  {
    name: "seats are as many as the clients leave",
    applies: always,
    query: `
      select format('trainer %s with capacity %s: %s clients, %s free seats, %s overbooked',
        t.trainer_id, t.capacity, seen.clients, seen.free, seen.overbooked)
      from assignment.trainers t
      cross join lateral (
        select
          (select count(*) from public.trainer_client_assignments a
            where a.trainer_id = t.trainer_id and a.status = 'active') as clients,
          (select count(*) from assignment.seats s where s.trainer_id = t.trainer_id and not s.is_overbooked) as free,
          (select count(*) from assignment.seats s where s.trainer_id = t.trainer_id and s.is_overbooked) as overbooked
      ) as seen
      where seen.free - seen.overbooked <> t.capacity - seen.clients
    `,
  },
  {
    name: "no machine goes beyond the capacity",
    applies: always,
    query: `
      select format('trainer %s with capacity %s has %s clients', t.trainer_id, t.capacity, count(*))
      from assignment.trainers t
      join public.trainer_client_assignments a on a.trainer_id = t.trainer_id
      where a.status = 'active' and a.source <> 'manual'
      group by t.trainer_id, t.capacity
      having count(*) > t.capacity
    `,
  },
  {
    name: "an assignment says which version made it",
    applies: always,
    query: `
      select format('assignment %s by %s: version %s', a.id, a.source, coalesce(a.policy_version::text, 'none'))
      from public.trainer_client_assignments a
      left join journal j on j.id = a.client_id
      left join assignment.backfill_runs r on r.id = a.backfill_run_id
      where case a.source
        when 'trigger' then a.policy_version is null
          or a.policy_version not between j.lowest_version and j.highest_version
        when 'retry' then a.policy_version is null or a.policy_version < j.lowest_version
        when 'backfill' then a.policy_version is distinct from r.policy_version
        when 'transfer' then a.policy_version is distinct from r.policy_version
        when 'manual' then a.policy_version is not null
        else false
      end
    `,
  },
  {
    name: "an assignment says which rule made it",
    applies: always,
    query: `
      select format('assignment %s of member %s by version %s: rule %s', a.id, a.client_id, a.policy_version,
        coalesce(a.rule::text, 'none'))
      from assignments_ever a
      left join assignment.policies p on p.version = a.policy_version
      left join rules r on r.version = a.policy_version and r.rule = a.rule
      where case
        when a.policy_version is null then a.rule is not null
        when a.rule is null then a.trainer_id is distinct from (p.document ->> 'defaultTrainerId')::uuid
        else (a.trainer_id = any (r.trainer_ids)) is not true
          or not (r.segments is null or left(a.client_id::text, 1) = any (r.segments))
      end
    `,
  },
  {
    name: "the first rule that matches and has room decides",
    applies: always,
    query: `
      select format('assignment %s of member %s by version %s: rule %s, though rule %s comes first', a.id, a.client_id,
        a.policy_version, coalesce(a.rule::text, 'none'), r.rule)
      from public.trainer_client_assignments a
      left join assignment.backfill_runs run on run.id = a.backfill_run_id
      join rules r on r.version = a.policy_version and r.rule < coalesce(a.rule, 32767)
      where (r.segments is null or left(a.client_id::text, 1) = any (r.segments))
        and (
          r.choose = 'nobody'
          or exists (
            select
            from unnest(r.trainer_ids) as t (id)
            where t.id <> a.client_id
              and t.id is distinct from run.from_trainer_id
              and not (a.source = 'transfer' and exists (  -- what was ended by hand is not made again
                select
                from public.trainer_client_assignments former
                where former.client_id = a.client_id
                  and former.trainer_id = t.id
                  and former.ended_because in ('manual', 'direct')
              ))
              and (
                r.when_full = 'wait'
                or not exists (select from assignment.trainers s where s.trainer_id = t.id and s.capacity is not null)
              )
          )
        )
    `,
  },
  {
    name: "nobody waits for room that is there",
    applies: ({ drained }) => drained === true,
    query: `
      select format('member %s', m.id)
      from public.members m
      where m.id <> $1
        and not exists (select from rules r where r.choose = 'nobody' and left(m.id::text, 1) = any (r.segments))
        and not exists (select from public.trainer_client_assignments a where a.client_id = m.id)
    `,
  },
  {
    name: "a run's choices equal the rows that carry its id",
    applies: always,
    query: `
      select format('run %s, rule %s, trainer %s: counts %s, has %s rows', run_id, rule, trainer_id, counted.members, seen.members)
      from (
        select c.run_id, c.rule, c.trainer_id, sum(c.members) as members
        from assignment.backfill_choices c
        join assignment.backfill_runs r on r.id = c.run_id
        where not r.dry_run
        group by c.run_id, c.rule, c.trainer_id
      ) as counted
      full join (
        select a.backfill_run_id as run_id, coalesce(a.rule, 0) as rule, a.trainer_id, count(*) as members
        from assignments_ever a
        join assignment.backfill_runs r on r.id = a.backfill_run_id
        where r.trainer_id is null or r.kind = 'transfer'
        group by a.backfill_run_id, a.rule, a.trainer_id
      ) as seen using (run_id, rule, trainer_id)
      where counted.members is distinct from seen.members
    `,
  },
];
