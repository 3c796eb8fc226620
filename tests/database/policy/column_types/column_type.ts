/** A type of columns, with members who have such values, and what each operator says of them. */
export interface ColumnType {
  type: string;
  /** The column's name; by default `value`. */
  column?: string;
  /** SQL that makes what the type needs, or adds the column itself. */
  prepare?: string;
  /** A member's name and value, as an SQL expression. */
  values: Record<string, string>;
  /** Operator, value, the members who match, and a path behind the column. */
  matches: [string, unknown, string[], string?][];
  /** Operator, value, what of the leaf is wrong and why, and a path behind the column. */
  problems?: [string, unknown, "/field" | "/op" | "/value", string, string?][];
}
