import { inTime } from "../deadline.ts";
import type { Sql } from "./sql.ts";

/** Why a server cannot be a replica of the primary. */
export type ReplicaMismatch = "not_a_standby" | "other_history";

export interface LagMeter {
  /**
   * Measures the lag. Returns why the server cannot be a replica, or null. Rejects when it does not answer in
   * time.
   */
  measure(): Promise<ReplicaMismatch | null>;
  /** Upper bound of the replica's lag; Infinity while unknown. It grows until the next measurement. */
  lagMs(): number;
  /** Whether the primary answered the last measurement. */
  isPrimaryThere(): boolean;
}

/** A position in the primary's log. */
interface Mark {
  /** By our clock, everything committed until this time is before the position. */
  at: number;
  place: number;
}

const ANSWER_WITHIN_MS = 2_000;
const MOST_MARKS = 500;

/**
 * Measures how far a replica is behind. It needs neither a server's clock nor privileges: it notes when the
 * primary's log ended where, and how far the replica has replayed. The replica's data is at most as old as the
 * latest note that it has passed. (`pg_last_xact_replay_timestamp()` would not do: it stands still while
 * nothing is written.)
 *
 * Commits with `synchronous_commit = off` are visible on the primary up to three `wal_writer_delay` (0.6 s)
 * before they are in its log. For these, the replica may be older by that time.
 */
export function createLagMeter(primary: Sql, replica: Sql): LagMeter {
  let marks: Mark[] = []; // the oldest first
  let history: string | undefined;
  let shownAsOf = -Infinity;
  let isPrimaryThere = false;

  return {
    lagMs: () => performance.now() - shownAsOf,
    isPrimaryThere: () => isPrimaryThere,
    async measure() {
      isPrimaryThere = await addMark().then(() => true, () => false);
      const found = await inTime(selectReplayed(replica), ANSWER_WITHIN_MS, noAnswer);
      if (!found.isStandby || found.place === null) return "not_a_standby";
      if (history !== undefined && found.history !== history) return "other_history";
      moveTo(found.place);
      return null;
    },
  };

  async function addMark(): Promise<void> {
    const at = performance.now();
    const end = await inTime(selectEnd(primary), ANSWER_WITHIN_MS, noAnswer);
    if (end.history !== history) marks = [];
    history = end.history;
    marks.push({ at, place: end.place });
    // Thinning out makes a long lag look longer, never shorter.
    if (marks.length > MOST_MARKS) marks = marks.filter((_, index) => index % 2 === 0);
  }

  /**
   * Finds the latest mark that the replica has passed. A restarted replica may be at an earlier position than
   * before.
   */
  function moveTo(replayed: number): void {
    const passed = marks.findLastIndex(({ place }) => place <= replayed);
    shownAsOf = marks[passed]?.at ?? -Infinity;
    marks = marks.slice(Math.max(0, passed));
  }
}

/**
 * Selects the end of the primary's log, and what identifies its history: cluster, database, and the timeline, which a
 * failover changes.
 */
async function selectEnd(primary: Sql): Promise<{ place: number; history: string }> {
  const [row] = await primary<[{ place: number; history: string }]>`
    select
      (wal.lsn - '0/0')::bigint as place,
      format(
        '%s/%s/%s',
        (select system_identifier from pg_catalog.pg_control_system()),
        (select oid from pg_catalog.pg_database where datname = current_database()),
        ('x' || left(pg_catalog.pg_walfile_name(wal.lsn), 8))::bit(32)::integer
      ) as history
    from (select pg_catalog.pg_current_wal_lsn() as lsn) as wal
  `;
  return row;
}

/**
 * Selects how far a replica has replayed, and its history. After a failover it reports the new timeline only
 * from its next restartpoint on; until then it counts as one with another history.
 */
async function selectReplayed(
  replica: Sql,
): Promise<{ isStandby: boolean; place: number | null; history: string }> {
  const [row] = await replica<[{ isStandby: boolean; place: number | null; history: string }]>`
    select
      pg_catalog.pg_is_in_recovery() as is_standby,
      (pg_catalog.pg_last_wal_replay_lsn() - '0/0')::bigint as place,
      format(
        '%s/%s/%s',
        (select system_identifier from pg_catalog.pg_control_system()),
        (select oid from pg_catalog.pg_database where datname = current_database()),
        greatest(
          (select timeline_id from pg_catalog.pg_control_checkpoint()),
          (select min_recovery_end_timeline from pg_catalog.pg_control_recovery())
        )
      ) as history
  `;
  return row;
}

function noAnswer(): Error {
  return Object.assign(new Error("no answer"), { code: "ETIMEDOUT" });
}
