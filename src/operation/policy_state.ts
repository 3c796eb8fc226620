import type { SqlOrTransaction } from "../database/sql.ts";

/** Why a rule of the policy in force does not do what it says. */
export interface RuleFault {
  /** Its position in the policy, from 1. */
  rule: number;
  name: string;
  /** A column that the rule asks, and that members no longer has or has with another type. */
  column: string | null;
  /** The column's present type; null: it is gone. */
  type: string | null;
  /** A trainer of the rule who is no longer a member. */
  trainerId: string | null;
}

const MOST_FAULTS = 10;

/** Reads what the policy in force names and the database no longer has; the first ten. Cheap for any number of members. */
export async function readRuleFaults(sql: SqlOrTransaction): Promise<RuleFault[]> {
  return await sql<RuleFault[]>`
    with in_force as (
      select r.rule, r.name, r.asks, r.kinds, r.trainer_ids
      from assignment.policy_rules r
      join assignment.settings s on s.policy_version = r.version
    )
    select r.rule, r.name, asked.column_name as column, c.type, null as trainer_id
    from in_force r
    cross join lateral (
      select distinct (f.path::text[])[1] as column_name, f.kind from unnest(r.asks, r.kinds) as f (path, kind)
    ) as asked
    left join assignment.member_columns c on c.name = asked.column_name
    where asked.kind is distinct from case c.kind when 'array' then c.value_kind || '[]' else c.kind end
    union all
    select r.rule, r.name, null, null, t.id
    from in_force r
    cross join unnest(r.trainer_ids) as t (id)
    where t.id <> all (assignment.find_members(r.trainer_ids))
    order by rule, "column", trainer_id
    limit ${MOST_FAULTS}
  `;
}

/** Says what is wrong with the rules, and what to do. */
export function describeRuleFaults(faults: RuleFault[]): string {
  return faults.map(({ rule, name, column, type, trainerId }) => {
    if (column === null) {
      return `rule ${rule} (${name}) names the trainer ${trainerId}, who is not a member: change it with PUT /v1/policy`;
    }
    if (type === null) {
      return `rule ${rule} (${name}) matches nobody, because members has no column ${column} any more: give the column ` +
        "its name back, or change the rule with PUT /v1/policy";
    }
    return `rule ${rule} (${name}) was written before the column ${column} became ${type}, and may match nobody: ` +
      "look at its values and save the policy again with PUT /v1/policy";
  }).join("; ");
}
