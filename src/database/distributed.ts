import { errorCode } from "../errors.ts";
import type { SqlOrTransaction } from "./sql.ts";

/** Of what Citus cannot plan for distributed tables; plain PostgreSQL plans all that we ask. */
const NOT_SUPPORTED = "0A000";

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
      if (errorCode(error) !== NOT_SUPPORTED) throw error;
      distributed.add(sql);
    }
  }
  return await onCluster();
}
