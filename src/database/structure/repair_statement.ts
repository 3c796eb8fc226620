import { type Difference, isForeignKey } from "./differences.ts";
import { createMissingPartitions } from "./partitioned_schema.ts";

/**
 * Writes the statements that create a missing object or correct a different one. They lose no data: no column
 * is dropped, and no type is changed.
 * @returns null when a person must decide
 */
export function repairStatement({ object, found }: Difference): string | null {
  const { kind, name, table, definition, statement } = object;
  const part = table === null ? name : name.slice(table.length + 1);
  if (kind === "constraint") {
    const add = `ALTER TABLE ${table} ADD CONSTRAINT ${part} ${definition}`;
    if (found === `${definition} NOT VALID`) return "";
    const drop = found === null ? "" : `ALTER TABLE ${table} DROP CONSTRAINT ${part}; `;
    return `${drop}${add}${isForeignKey(object) && !object.isCheckedAtOnce ? " NOT VALID" : ""}`;
  }
  if (found === null) return statement;
  switch (kind) {
    case "index":
      return `DROP INDEX ${name}; ${statement}`;
    case "partitioning":
      return createMissingPartitions(definition ?? "", found);
    case "trigger":
      return `DROP TRIGGER ${part} ON ${table}; ${statement}`;
    case "column":
      return repairColumn(`${table}`, part, definition ?? "", found);
    default:
      return null;
  }
}

function repairColumn(table: string, column: string, wanted: string, found: string): string | null {
  const [want, have] = [readColumn(wanted), readColumn(found)];
  if (want.type !== have.type) return null;
  return [
    want.default === undefined ? "DROP DEFAULT" : `SET DEFAULT ${want.default}`,
    want.isRequired ? "SET NOT NULL" : "DROP NOT NULL",
  ].map((change) => `ALTER TABLE ${table} ALTER COLUMN ${column} ${change}`).join("; ");
}

function readColumn(definition: string) {
  const [, type, byDefault, required] = /^(.+?)(?: DEFAULT (.+?))?( NOT NULL)?$/.exec(definition) ?? [];
  return { type, default: byDefault, isRequired: required !== undefined };
}
