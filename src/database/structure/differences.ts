import type { CatalogObject } from "./catalog.ts";
import type { SchemaObject } from "./schema_file.ts";

/** An object that is missing or different in a database. */
export interface Difference {
  object: SchemaObject;
  /** The server's description of the object; null if it is missing. */
  found: string | null;
}

/** Compares the objects that must exist with those that do. Ignores additional objects. */
export function findDifferences(
  wanted: readonly SchemaObject[],
  found: readonly CatalogObject[],
): Difference[] {
  const existing = new Map(found.map(({ kind, name, definition }) => [`${kind} ${name}`, definition]));
  return wanted.flatMap((object): Difference[] => {
    const definition = existing.get(`${object.kind} ${object.name}`);
    if (definition === undefined) return [{ object, found: null }];
    if (object.definition === null || object.definition === definition) return [];
    return [{ object, found: definition ?? "" }];
  });
}

/**
 * Tells whether it is a foreign key: added `not valid` where that is possible, and validated later, so that members
 * are not locked meanwhile.
 */
export function isForeignKey({ definition }: SchemaObject): boolean {
  return definition?.startsWith("FOREIGN KEY") ?? false;
}

/** Leaves out what is missing only because its table or schema is missing. */
export function withoutConsequences(differences: readonly Difference[]): Difference[] {
  const missing = new Set(differences.filter(({ found }) => found === null).map(({ object }) => object.name));
  if (missing.has("assignment")) {
    return differences.filter(({ object }) =>
      object.kind === "schema" || object.kind === "table" && !isInternal(object)
    );
  }
  return differences.filter(({ object }) => object.table === null || !missing.has(object.table));
}

function isInternal({ name }: SchemaObject): boolean {
  return name.startsWith("assignment.");
}

/**
 * Names what is missing or different, the first few in words: `table public.x is missing; index public.y is
 * invalid`.
 */
export function describeDifferences(differences: readonly Difference[], limit = 5): string {
  const shown = withoutConsequences(differences);
  const words = shown.slice(0, limit).map(describeDifference);
  if (shown.length > limit) words.push(`and ${shown.length - limit} more`);
  return words.join("; ");
}

/** Says what is wrong with one object. */
export function describeDifference({ object: { kind, name, table, definition }, found }: Difference): string {
  const what = table === null || kind === "index"
    ? `${kind} ${name}`
    : kind === "row security" || kind === "partitioning"
    ? `${kind} of ${table}`
    : `${kind} ${name.slice(table.length + 1)} of ${table}`;
  if (found === null) return `${what} is missing`;
  if (kind === "index" && found === `${definition} INVALID`) return `${what} is invalid`;
  if (found === `${definition} NOT VALID`) return `${what} is not validated`;
  const pointsAt = (text: string | null) => /REFERENCES ([^(]+)\(/.exec(text ?? "")?.[1];
  const target = pointsAt(definition);
  if (target !== undefined && pointsAt(found) !== undefined && pointsAt(found) !== target) {
    return `${what} points at ${pointsAt(found)} instead of ${target}`;
  }
  return `${what} is different (${found})`;
}
