import type { CatalogObject } from "./catalog.ts";
import { isForeignKey } from "./differences.ts";
import { hasDistributedSchema, toDistributed } from "./distributed_schema.ts";
import type { Schema, SchemaObject } from "./schema_file.ts";

const TABLE = "public.trainer_client_assignments";

/** Returns what must exist in this database: the schema as it is, or as `migrate --partitions` or `--citus` changes it. */
export function schemaFor(catalog: readonly CatalogObject[], schema: Schema): Schema {
  if (hasDistributedSchema(catalog)) return { ...schema, objects: schema.objects.flatMap(toDistributed) };
  const isPartitioned = catalog.some(({ kind, name }) => kind === "partitioning" && name === TABLE);
  return isPartitioned ? { ...schema, objects: schema.objects.flatMap(toPartitioned) } : schema;
}

/** A partitioned table's primary key must contain what it is partitioned by. */
function toPartitioned(object: SchemaObject): SchemaObject[] {
  if (object.kind === "table" && object.name === TABLE) {
    return [object, {
      kind: "partitioning",
      name: TABLE,
      table: TABLE,
      definition: "HASH (client_id)",
      statement: "",
    }];
  }
  if (object.table === TABLE && isForeignKey(object)) return [{ ...object, isCheckedAtOnce: true }];
  return object.name === `${TABLE} trainer_client_assignments_pkey`
    ? [{ ...object, definition: "PRIMARY KEY (id, client_id)" }]
    : [object];
}

/**
 * Writes the statements that create the partitions which a description by {@link readCatalog} says are missing;
 * null when the table is partitioned otherwise.
 */
export function createMissingPartitions(wanted: string, found: string): string | null {
  const [, by, gaps = ""] = /^(.+?)(?: WITHOUT (.+))?$/.exec(found) ?? [];
  if (by !== wanted) return null;
  return [...gaps.matchAll(/remainder (\d+) of (\d+)/g)].map(([, remainder, modulus]) => {
    const partition = `${TABLE}_${remainder}`;
    return `CREATE TABLE ${partition} PARTITION OF ${TABLE} ` +
      `FOR VALUES WITH (modulus ${modulus}, remainder ${remainder}); ` +
      `SELECT assignment.take_back_defaults('${partition}')`;
  }).join("; ");
}
