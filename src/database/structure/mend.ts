import type { Lack } from "./lacks.ts";

/**
 * Writes the statements that create a missing object, or change a different one. What they replace holds no data: a column is never
 * dropped, nor is its type changed.
 * @returns null where only a person can decide
 */
export function mend({ object, found }: Lack): string | null {
  const { kind, name, table, definition, statement } = object;
  const part = table === null ? name : name.slice(table.length + 1);
  if (kind === "constraint") {
    const add = `ALTER TABLE ${table} ADD CONSTRAINT ${part} ${definition}`;
    if (found === `${definition} NOT VALID`) return "";
    const drop = found === null ? "" : `ALTER TABLE ${table} DROP CONSTRAINT ${part}; `;
    return `${drop}${add}${isForeignKey(object) ? " NOT VALID" : ""}`;
  }
  if (found === null) return statement;
  switch (kind) {
    case "index":
      return `DROP INDEX ${name}; ${statement}`;
    case "trigger":
      return `DROP TRIGGER ${part} ON ${table}; ${statement}`;
    case "column":
      return mendColumn(`${table}`, part, definition ?? "", found);
    default:
      return null;
  }
}

/** A foreign key is added at once for new rows, and looks at those that stand afterwards, without a lock on members. */
export function isForeignKey({ definition }: Lack["object"]): boolean {
  return definition?.startsWith("FOREIGN KEY") ?? false;
}

function mendColumn(table: string, column: string, wanted: string, found: string): string | null {
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
