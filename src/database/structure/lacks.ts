import type { CatalogObject } from "./catalog.ts";
import type { SchemaObject } from "./schema_file.ts";

/** An object that a database should have and does not, or has otherwise. */
export interface Lack {
  object: SchemaObject;
  /** The server's own description of what stands in its place; null where it is missing. */
  found: string | null;
}

/** Compares what must exist with what does; additional objects are ignored. */
export function findLacks(wanted: readonly SchemaObject[], found: readonly CatalogObject[]): Lack[] {
  const existing = new Map(found.map(({ kind, name, definition }) => [`${kind} ${name}`, definition]));
  return wanted.flatMap((object): Lack[] => {
    const definition = existing.get(`${object.kind} ${object.name}`);
    if (definition === undefined) return [{ object, found: null }];
    if (object.definition === null || object.definition === definition) return [];
    return [{ object, found: definition ?? "" }];
  });
}

/** Leaves out what is missing only because its table or schema is. */
export function withoutConsequences(lacks: readonly Lack[]): Lack[] {
  const missing = new Set(lacks.filter(({ found }) => found === null).map(({ object }) => object.name));
  if (missing.has("assignment")) {
    return lacks.filter(({ object }) =>
      object.kind === "schema" || object.kind === "table" && !isMachinery(object)
    );
  }
  return lacks.filter(({ object }) => object.table === null || !missing.has(object.table));
}

function isMachinery({ name }: SchemaObject): boolean {
  return name.startsWith("assignment.");
}

/** Names what is missing or different, the first few in words: `missing: table public.x; different: constraint y of public.x (…)`. */
export function describeLacks(lacks: readonly Lack[], limit = 5): string {
  const shown = withoutConsequences(lacks);
  const words = shown.slice(0, limit).map(describeLack);
  if (shown.length > limit) words.push(`and ${shown.length - limit} more`);
  return words.join("; ");
}

/** Says what is wrong with one object. */
export function describeLack({ object: { kind, name, table, definition }, found }: Lack): string {
  const what = table === null || kind === "index"
    ? `${kind} ${name}`
    : kind === "row security"
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
  return `${what} is not what it should be (${found})`;
}
