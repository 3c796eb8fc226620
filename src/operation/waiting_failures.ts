import { onServerOrCluster } from "../database/distributed.ts";
import type { SqlOrTransaction } from "../database/sql.ts";

/** Auto-assignments that wait for a retry, among the first 100,000 of them. */
export interface WaitingFailures {
  /** Those that wait for room: a waiting list, as the policy asks for it. */
  noRoom: number;
  /** When the first of them failed; null if there are none. */
  noRoomSince: Date | null;
  /** Those that fail for any other reason. */
  other: number;
  otherSince: Date | null;
}

/** At most this many failures are looked at, so that a long waiting list costs tens of milliseconds. */
export const MOST_FAILURES = 100_000;

/** Whether a failure waits for room. */
export const WAITS_FOR_ROOM = "sqlstate = 'TA011'";

const COUNTS = `
  count(*) filter (where ${WAITS_FOR_ROOM}) as no_room,
  min(first_failed_at) filter (where ${WAITS_FOR_ROOM}) as no_room_since,
  count(*) filter (where not ${WAITS_FOR_ROOM}) as other,
  min(first_failed_at) filter (where not ${WAITS_FOR_ROOM}) as other_since
`;

/** Selects {@link WaitingFailures} on one server. */
export const COUNTED_FAILURES = `
  select ${COUNTS}
  from (select sqlstate, first_failed_at from assignment.failures limit ${MOST_FAILURES}) as counted
`;

/** Reads who waits for a retry, and since when; cheap for any number of failures on one server. */
export async function readWaitingFailures(sql: SqlOrTransaction): Promise<WaitingFailures> {
  return await onServerOrCluster(
    sql,
    () => readCounts(sql, COUNTED_FAILURES),
    () => readWaitingFailuresOfShards(sql),
  );
}

/** As {@link readWaitingFailures}, on a cluster: each shard counts all of its own. */
export async function readWaitingFailuresOfShards(sql: SqlOrTransaction): Promise<WaitingFailures> {
  return await readCounts(sql, `select ${COUNTS} from assignment.failures`);
}

async function readCounts(sql: SqlOrTransaction, statement: string): Promise<WaitingFailures> {
  const [row] = await sql<[WaitingFailures]>`${sql.unsafe(statement)}`;
  return row;
}
