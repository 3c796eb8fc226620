import type { Sql } from "../database/sql.ts";
import type { Op } from "./condition.ts";

/** What a rule can ask of members: a column, or a field inside a json column. */
export interface MemberField {
  field: string;
  /** The column's type, as PostgreSQL writes it. */
  type: string;
  /** What the column holds: `text`, `number`, `json` and others of `assignment.member_columns`. */
  kind: string;
  /** What the elements of an array are; else as `kind`. */
  valueKind: string;
  /** Up to 20 values that several members have, the most frequent first; all labels of an enum. */
  values: (string | number | boolean)[];
}

/** Lists what a rule can ask, in order of name. It looks at 2,000 members at most. */
export async function listMemberFields(sql: Sql): Promise<MemberField[]> {
  const rows = await sql<(Omit<MemberField, "values"> & { values: string })[]>`
    select field, type, kind, value_kind, frequent_values::text as values
    from assignment.list_member_fields()
  `;
  return rows.map(({ values, ...field }) => ({ ...field, values: JSON.parse(values) }));
}

const PRESENCE = ["exists", "missing"] as const;
const EQUALITY = ["eq", "ne", "in", "not_in"] as const;
const ORDER = ["lt", "lte", "gt", "gte"] as const;
const INSIDE = ["starts_with", "contains"] as const;

/** Lists what can be asked of a kind of column; as `assignment.find_leaf_problem` has it. */
export function listOps(kind: string): readonly Op[] {
  switch (kind) {
    case "text":
    case "char":
    case "citext":
    case "json":
      return [...EQUALITY, ...INSIDE, ...ORDER, ...PRESENCE];
    case "number":
    case "date":
    case "timestamp":
    case "timestamptz":
      return [...EQUALITY, ...ORDER, ...PRESENCE];
    case "boolean":
    case "enum":
    case "uuid":
      return [...EQUALITY, ...PRESENCE];
    case "array":
      return ["contains", ...PRESENCE];
    default:
      return PRESENCE;
  }
}
