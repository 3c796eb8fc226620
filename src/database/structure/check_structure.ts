import type { Sql } from "../sql.ts";
import { LOCKED, type Locked, orLocked } from "../locks.ts";
import { readCatalog } from "./catalog.ts";
import { findLacks, type Lack } from "./lacks.ts";
import { readSchema } from "./schema_file.ts";

/**
 * Lists what the migrations make and is missing or different in the database; two looks at its catalogs.
 * @returns {@link LOCKED} while somebody holds one of our tables locked, for the server describes no table without a lock
 */
export async function checkStructure(sql: Sql): Promise<Lack[] | Locked> {
  const [schema, catalog] = await Promise.all([readSchema(), orLocked(readCatalog(sql))]);
  return catalog === LOCKED ? LOCKED : findLacks(schema.objects, catalog);
}
