import { inTime } from "../deadline.ts";
import type { Sql } from "./sql.ts";

/** Why a server cannot be a replica of the primary. */
export type ReplicaMismatch = "not_a_standby" | "other_history";

export interface LagMeter {
  /** Measures again. Returns why the server cannot be a replica, or null. Rejects when it does not answer in time. */
  measure(): Promise<ReplicaMismatch | null>;
  /** Upper bound of the replica's lag; Infinity while it is not known. Grows until the next measurement. */
  lagMs(): number;
  /** Whether the primary answered the last measurement: without it, the lag can only be known to grow. */
  isPrimaryThere(): boolean;
}

/** Of the primary's log: all that had been committed at this time of our clock ends before this place. */
interface Mark {
  at: number;
  place: number;
}

const ANSWER_WITHIN_MS = 2_000;
const MOST_MARKS = 500;

/**
 * Measures how far a replica is behind, without any server's clock, and without permissions: asks the primary where its
 * log ends, notes when, and then the replica up to where it has replayed. What is shown there is at most as old as the
 * latest such note that it has passed. (`pg_last_xact_replay_timestamp()` tells when the last replayed transaction was
 * committed: that grows without limit while nothing is written.)
 *
 * Commits with `synchronous_commit = off` are seen on the primary up to three `wal_writer_delay` before they are in its
 * log: by so much (0.6 s) their part of an answer may be older.
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
    // The more there are, the coarser the older ones: it makes a long lag look longer, never shorter.
    if (marks.length > MOST_MARKS) marks = marks.filter((_, index) => index % 2 === 0);
  }

  /** A replica that was started again may show less than before, until it has replayed what it had. */
  function moveTo(replayed: number): void {
    const passed = marks.findLastIndex(({ place }) => place <= replayed);
    shownAsOf = marks[passed]?.at ?? -Infinity;
    marks = marks.slice(Math.max(0, passed));
  }
}

/**
 * The end of the primary's log, and what tells its history from others': cluster, database and timeline, which a failover
 * changes.
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
 * Up to where a replica has replayed, and its history. After a failover it names the new timeline from its next
 * restartpoint on; so long it counts as one that stayed on the old one.
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
