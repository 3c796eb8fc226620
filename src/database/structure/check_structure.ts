import type { Sql } from "../sql.ts";
import { readCatalog } from "./catalog.ts";
import { findLacks, type Lack } from "./lacks.ts";
import { readSchema } from "./schema_file.ts";

/** Lists what the migrations make and the database lacks, or has otherwise; two looks at its catalogs. */
export async function checkStructure(sql: Sql): Promise<Lack[]> {
  const [schema, catalog] = await Promise.all([readSchema(), readCatalog(sql)]);
  return findLacks(schema.objects, catalog);
}
