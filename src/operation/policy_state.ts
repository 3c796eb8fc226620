import type { SqlOrTransaction } from "../database/sql.ts";

/** Why a rule of the policy in force does not do what it says. */
export interface RuleFault {
  /** Its position in the policy, from 1. */
  rule: number;
  name: string;
  /** A column that the rule asks and members no longer has. */
  column: string | null;
  /** A trainer of the rule who is no longer a member. */
  trainerId: string | null;
}

const MOST_FAULTS = 10;

/** Reads what the policy in force names and the database no longer has; the first ten. Cheap for any number of members. */
export async function readRuleFaults(sql: SqlOrTransaction): Promise<RuleFault[]> {
  return await sql<RuleFault[]>`
    with in_force as (
      select r.rule, r.name, r.asks, r.trainer_ids
      from assignment.policy_rules r
      join assignment.settings s on s.policy_version = r.version
    )
    select r.rule, r.name, asked.column_name as column, null as trainer_id
    from in_force r
    cross join lateral (select distinct (path::text[])[1] as column_name from unnest(r.asks) as path) as asked
    where not exists (
      select
      from pg_catalog.pg_attribute a
      where a.attrelid = to_regclass('public.members')
        and a.attname = asked.column_name
        and a.attnum > 0
        and not a.attisdropped
    )
    union all
    select r.rule, r.name, null, t.id
    from in_force r
    cross join unnest(r.trainer_ids) as t (id)
    where not exists (select from public.members m where m.id = t.id)
    order by rule, "column", trainer_id
    limit ${MOST_FAULTS}
  `;
}

/** Says what is wrong with the rules, and what to do. */
export function describeRuleFaults(faults: RuleFault[]): string {
  return faults.map(({ rule, name, column, trainerId }) =>
    column === null
      ? `rule ${rule} (${name}) names the trainer ${trainerId}, who is not a member: change it with PUT /v1/policy`
      : `rule ${rule} (${name}) matches nobody, because members has no column ${column} any more: give the column ` +
        "its name back, or change the rule with PUT /v1/policy"
  ).join("; ");
}
