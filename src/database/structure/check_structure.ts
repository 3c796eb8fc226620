import type { Sql } from "../sql.ts";
import { LOCKED, type Locked, orLocked } from "../locks.ts";
import { readCatalog } from "./catalog.ts";
import { type Difference, findDifferences } from "./differences.ts";
import { schemaFor } from "./partitioned_schema.ts";
import { readSchema } from "./schema_file.ts";

/**
 * Lists the objects of the migrations that are missing or different in the database.
 * @returns {@link LOCKED} while another session holds one of our tables locked: the server cannot describe it then
 */
export async function checkStructure(sql: Sql): Promise<Difference[] | Locked> {
  const [schema, catalog] = await Promise.all([readSchema(), orLocked(readCatalog(sql))]);
  return catalog === LOCKED ? LOCKED : findDifferences(schemaFor(catalog, schema).objects, catalog);
}
