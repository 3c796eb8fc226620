import { errorCode } from "../errors.ts";
import type { Sql, SqlOrTransaction } from "./sql.ts";

/** Of what Citus cannot plan for distributed tables; plain PostgreSQL plans all that we ask. */
const NOT_SUPPORTED = "0A000";

/** An internal error: Citus, too, has some plans that it only notices to be wrong. */
const CANNOT_PLAN = "XX000";

/** What is known of handles: whether they ask a cluster. */
const known = new WeakMap<SqlOrTransaction, boolean>();

/**
 * Asks one server in one statement, or a cluster in several that Citus can send to the nodes. Which it is shows the first
 * time that it refuses: a server is asked nothing besides.
 */
export async function onServerOrCluster<T>(
  sql: SqlOrTransaction,
  onServer: () => Promise<T>,
  onCluster: () => Promise<T>,
): Promise<T> {
  // In a transaction, the first refusal would be its end.
  if (isKnownCluster(sql) || ("savepoint" in sql && await isOnCluster(sql))) return await onCluster();
  try {
    return await onServer();
  } catch (error) {
    const code = errorCode(error);
    if (code !== NOT_SUPPORTED && !(code === CANNOT_PLAN && await isDistributed(sql))) throw error;
  }
  known.set(sql, true);
  return await onCluster();
}

/** Tells whether a handle was found to ask a cluster; asks nothing. */
export function isKnownCluster(sql: SqlOrTransaction): boolean {
  return known.get(sql) === true;
}

/** Tells whether a handle asks a cluster, for statements that Citus does not refuse; asks the first time. */
export async function isOnCluster(sql: SqlOrTransaction): Promise<boolean> {
  const isCluster = known.get(sql) ?? await isDistributed(sql);
  known.set(sql, isCluster);
  return isCluster;
}

/** Tells whether `migrate --citus` has distributed this database. Reads the catalogs alone. */
export async function isDistributed(sql: SqlOrTransaction): Promise<boolean> {
  const [row] = await sql<[{ isThere: boolean }]>`
    select to_regnamespace('assignment_shards') is not null as is_there
  `;
  return row.isThere;
}

/** Has a cluster make what a READ ONLY transaction cannot, where a shard was moved or split. */
export async function prepareReads(sql: Sql): Promise<void> {
  if (await isOnCluster(sql)) await sql`select assignment.prepare_nodes()`;
}
