import { delay } from "../deadline.ts";
import type { Sql } from "../database/sql.ts";
import type { Logger } from "../telemetry/log.ts";
import { type Lane, type LaneOptions, openLane } from "./lane.ts";
import { addressMessages, findDueEndpoints, tendOutbox } from "./queue.ts";
import { resealSecrets } from "./reseal.ts";

const LOOK_EVERY_MS = 250;
const TEND_EVERY_MS = 60_000;
const FAILED = "webhooks_failed";
const UNTENDED = "webhooks_untended";

/**
 * Sends messages to the endpoints that want them, until the signal is given; attempts under way are then given up, and
 * another process takes them up two minutes later. Every replica does this; the database divides the work.
 * @param options.keys without one nothing is sent
 */
export async function deliverMessages(sql: Sql, options: LaneOptions): Promise<void> {
  const { outageLog, signal } = options;
  const lanes = new Map<string, Lane>();
  let tendedAt = -Infinity;
  while (!signal.aborted) {
    if (performance.now() - tendedAt >= TEND_EVERY_MS) {
      tendedAt = performance.now();
      await tend(sql, options);
    }
    try {
      await addressMessages(sql);
      if (options.keys.length > 0) await wakeLanes();
      outageLog.succeeded(FAILED);
    } catch (error) {
      outageLog.failed(error, { event: FAILED });
    }
    await delay(LOOK_EVERY_MS, signal);
  }
  const { signal: never } = new AbortController();
  while ([...lanes.values()].some((lane) => !lane.isIdle())) await delay(10, never);

  async function wakeLanes(): Promise<void> {
    for (const [id, lane] of lanes) if (lane.isIdle()) lanes.delete(id);
    for (const endpoint of await findDueEndpoints(sql)) {
      const lane = lanes.get(endpoint.id) ?? openLane(sql, options);
      lanes.set(endpoint.id, lane);
      lane.wake(endpoint);
    }
  }
}

/** Keeps the outbox and the secrets in order. What fails is logged and tried again a minute later; messages go on. */
async function tend(sql: Sql, { keys, log, outageLog }: LaneOptions): Promise<void> {
  try {
    const { filled, forgotten, enabled } = await tendOutbox(sql);
    if (filled > 0) log.warn({ event: "outbox_gaps_filled", changes: filled });
    if (enabled > 0) log.warn({ event: "announcing_triggers_enabled", triggers: enabled });
    if (forgotten > 0) log.info({ event: "old_messages_forgotten", messages: forgotten });
    if (keys.length > 0) await reseal(sql, keys, log);
    outageLog.succeeded(UNTENDED);
  } catch (error) {
    outageLog.failed(error, { event: UNTENDED });
  }
}

async function reseal(sql: Sql, keys: readonly Uint8Array[], log: Logger): Promise<void> {
  const { resealed, problems } = await resealSecrets(sql, keys);
  if (resealed > 0) log.info({ event: "webhook_secrets_resealed", secrets: resealed });
  for (const problem of problems) log.error({ event: "webhook_secret_unreadable", reason: String(problem) });
}
