import { driveRuns } from "../runs/driver.ts";
import { DEFAULT_DRIVE_OPTIONS } from "../runs/drive.ts";
import { reconcileOnSchedule } from "../runs/schedule.ts";
import type { Sql } from "../database/sql.ts";
import { delay } from "../deadline.ts";
import { logFailedRetries, logNewFailures } from "../assignments/failure_log.ts";
import { retryDueFailures } from "../assignments/failures.ts";
import { createOutageLog, type OutageLog } from "../database/outage_log.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { createSender } from "../webhooks/send.ts";
import { deliverMessages } from "../webhooks/worker.ts";

/** The part of the configuration that the background work reads. */
export interface BackgroundConfig {
  backfillLanes: number;
  backfillMaxReplicaLagMs: number;
  backfillRestRatio: number;
  /** A cron pattern in UTC; null for none. */
  reconcileCron: string | null;
  /** Of `WEBHOOK_KEY`; without one no webhooks are sent. */
  webhookKeys?: readonly Uint8Array[];
  webhookAllowPrivate?: boolean;
}

const RETRY_EVERY_MS = 5000;
const RETRY_FAILED = { event: "failure_retry_failed" };

/**
 * Starts the background work: drives runs, retries failed auto-assignments, reconciles on
 * schedule, and sends webhooks. `stop` returns when all of it has stopped, within a batch. Every replica does this; the database divides
 * the work among them.
 */
export function startBackgroundWork(
  { sql, log, outageLog = createOutageLog(log), metrics }: {
    sql: Sql;
    log: Logger;
    outageLog?: OutageLog;
    metrics?: Metrics;
  },
  config: BackgroundConfig,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const sender = createSender({ allowPrivate: config.webhookAllowPrivate ?? false });
  const work = [
    driveRuns(sql, {
      ...DEFAULT_DRIVE_OPTIONS,
      lanes: config.backfillLanes,
      maxReplicaLagMs: config.backfillMaxReplicaLagMs,
      restRatio: config.backfillRestRatio,
      log,
      outageLog,
      signal,
    }),
    retryUntil(signal, sql, log, outageLog),
    config.reconcileCron === null
      ? undefined
      : reconcileOnSchedule(sql, config.reconcileCron, { log, outageLog, signal }),
    deliverMessages(sql, {
      keys: config.webhookKeys ?? [],
      sender,
      ...(metrics === undefined ? {} : { countAttempt: metrics.countDeliveryAttempt }),
      log,
      outageLog,
      signal,
    }),
  ];
  return {
    async stop() {
      stopping.abort();
      await Promise.all(work);
      sender.close();
    },
  };
}

/**
 * Retries what is due, batch after batch, and looks for more every five seconds. After each batch it rests for as
 * long as the batch took, so that signups and backfills get their share. New failures are logged first:
 * a successful retry removes the failure.
 */
async function retryUntil(
  signal: AbortSignal,
  sql: Sql,
  log: Logger,
  outageLog: OutageLog,
): Promise<void> {
  while (!signal.aborted) {
    let restMs = RETRY_EVERY_MS;
    try {
      const began = performance.now();
      const isAllLogged = await logNewFailures(sql, log, outageLog);
      if (!isAllLogged || await retryDue(sql, log)) restMs = performance.now() - began;
      outageLog.succeeded(RETRY_FAILED);
    } catch (error) {
      outageLog.failed(error, RETRY_FAILED);
    }
    await delay(restMs, signal);
  }
}

/** Retries a batch; returns whether anything was due. */
async function retryDue(sql: Sql, log: Logger): Promise<boolean> {
  const result = await retryDueFailures(sql, (failures) => logFailedRetries(log, failures));
  if (result.retried > 0) log.info({ event: "failures_retried", ...result });
  return result.retried > 0;
}
