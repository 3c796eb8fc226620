import { errorCode } from "../errors.ts";
import type { Sql, SqlOrTransaction } from "./sql.ts";

/** Of what Citus cannot plan for distributed tables; plain PostgreSQL plans all that we ask. */
const NOT_SUPPORTED = "0A000";

/** An internal error: Citus, too, has some plans that it only notices to be wrong. */
const CANNOT_PLAN = "XX000";

const distributed = new WeakSet<SqlOrTransaction>();

/**
 * Asks one server in one statement, or a cluster in several that Citus can send to the nodes. Which it is shows the first
 * time that it refuses.
 */
export async function onServerOrCluster<T>(
  sql: SqlOrTransaction,
  onServer: () => Promise<T>,
  onCluster: () => Promise<T>,
): Promise<T> {
  if (!distributed.has(sql)) {
    try {
      return await onServer();
    } catch (error) {
      const code = errorCode(error);
      if (code !== NOT_SUPPORTED && !(code === CANNOT_PLAN && await isDistributed(sql))) throw error;
      distributed.add(sql);
    }
  }
  return await onCluster();
}

/** Tells whether {@link onServerOrCluster} has found that these handles ask a cluster. */
export function hasRefused(sql: SqlOrTransaction): boolean {
  return distributed.has(sql);
}

/** Tells whether `migrate --citus` has distributed this database. Reads the catalogs alone. */
export async function isDistributed(sql: SqlOrTransaction): Promise<boolean> {
  const [row] = await sql<[{ isThere: boolean }]>`
    select to_regnamespace('assignment_shards') is not null as is_there
  `;
  return row.isThere;
}

const known = new WeakMap<Sql, Promise<boolean>>();

/** The same, asked once for each pool: it is done once, and the service restarted. */
export async function isOnCluster(sql: Sql): Promise<boolean> {
  const asked = known.get(sql) ?? isDistributed(sql);
  known.set(sql, asked);
  try {
    return await asked;
  } catch (error) {
    known.delete(sql);
    throw error;
  }
}
