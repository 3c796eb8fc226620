import type { Sql } from "../database/sql.ts";

/** How many members a run processed in each of equal spans of time, from its first batch to its last. */
export interface Throughput {
  startedAt: Date;
  secondsEach: number;
  /** 1 to 120 spans. */
  processed: number[];
}

const MOST_SPANS = 120;

/**
 * Reads a run's throughput in at most 120 spans of whole seconds. Leaves out the current second. Null if there are no
 * samples yet.
 */
export async function readThroughput(sql: Sql, runId: string): Promise<Throughput | null> {
  const rows = await sql<
    { startedAt: Date; secondsEach: number; span: number; spans: number; processed: number }[]
  >`
    with complete as (
      select at, processed
      from assignment.backfill_samples
      where run_id = ${runId}
        and at < date_trunc('second', clock_timestamp())
    ),
    bounds as (
      select
        min(at) as started_at,
        extract(epoch from max(at) - min(at))::integer + 1 as seconds
      from complete
    ),
    width as (
      select started_at, seconds, ceil(seconds / ${MOST_SPANS}::numeric)::integer as seconds_each
      from bounds
      where started_at is not null
    )
    select
      w.started_at,
      w.seconds_each,
      (extract(epoch from s.at - w.started_at)::integer / w.seconds_each) as span,
      ceil(w.seconds::numeric / w.seconds_each)::integer as spans,
      sum(s.processed)::bigint as processed
    from complete s
    cross join width w
    group by w.started_at, w.seconds_each, w.seconds, span
    order by span
  `;
  const [first] = rows;
  if (first === undefined) return null;
  const processed = Array<number>(first.spans).fill(0);
  for (const row of rows) processed[row.span] = row.processed;
  return { startedAt: first.startedAt, secondsEach: first.secondsEach, processed };
}
