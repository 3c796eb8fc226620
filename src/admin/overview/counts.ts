import { endsInTime } from "../../deadline.ts";
import { errorCode } from "../../errors.ts";
import { countCoverage, type Coverage, estimateCoverage } from "../../operation/coverage.ts";
import { CANCELED } from "../../database/error_kinds.ts";
import type { Sql } from "../../database/sql.ts";
import type { Logger } from "../../telemetry/log.ts";

/** Counts members for pages in the background. */
export interface Counts {
  /** Returns the latest count for a trainer, which is at most about {@link MAX_AGE_MS} old. */
  read(trainerId: string | null): Promise<Coverage>;
  /** Makes the next read count again, after a change. */
  expire(): void;
}

export const MAX_AGE_MS = 30_000;
const MIN_AGE_MS = 900;
/** The fraction of the time that counting may take. A large table is counted more rarely. */
const COUNTING_RATIO = 0.1;
const WAIT_MS = 700;

/**
 * Creates counts that are renewed at most a tenth of the time: after a count of one second, the next one starts
 * ten seconds later. A page waits a moment for a renewed count, then gets the old one, or the planner's
 * estimate if there is none.
 */
export function createCounts(sql: Sql, log: Logger): Counts {
  let latest: Coverage | undefined;
  let goodUntil = 0;
  let counting: Promise<void> | undefined;
  let changes = 0;

  async function count(trainerId: string | null): Promise<void> {
    const [began, changesBefore] = [performance.now(), changes];
    const coverage = await countOrEstimate(trainerId);
    if (changes !== changesBefore) return; // it may have counted the state before the change
    latest = coverage;
    const tookMs = performance.now() - began;
    goodUntil = performance.now() + Math.min(MAX_AGE_MS, Math.max(MIN_AGE_MS, tookMs / COUNTING_RATIO));
  }

  async function countOrEstimate(trainerId: string | null): Promise<Coverage> {
    try {
      return await countCoverage(sql, trainerId);
    } catch (error) {
      if (errorCode(error) !== CANCELED) throw error;
      log.warn({ err: error }, "members are too many to count; the admin page shows an estimate");
      return await estimateCoverage(sql, trainerId);
    }
  }

  return {
    async read(trainerId) {
      const usable = () => latest?.trainerId === trainerId ? latest : undefined;
      const current = usable();
      if (current !== undefined && performance.now() < goodUntil) return current;
      const work = counting ??= count(trainerId);
      await endsInTime(work.finally(() => counting = counting === work ? undefined : counting), WAIT_MS);
      return usable() ?? await estimateCoverage(sql, trainerId);
    },
    expire() {
      changes++;
      goodUntil = 0;
      counting = undefined;
    },
  };
}
