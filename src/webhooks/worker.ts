import { delay } from "../deadline.ts";
import { collectNotes } from "../database/notes.ts";
import type { OutageLog } from "../database/outage_log.ts";
import type { Sql } from "../database/sql.ts";
import type { Logger } from "../telemetry/log.ts";
import { type Lane, type LaneOptions, openLane } from "./lane.ts";
import { addressMessages, countEndpoints, findDueEndpoints, readEndpoints, tendOutbox } from "./queue.ts";
import { resealSecrets } from "./reseal.ts";

const LOOK_EVERY_MS = 250;
const TEND_EVERY_MS = 60_000;
const FAILED = { event: "webhooks_failed" };
const UNTENDED = { event: "webhooks_untended" };
const UNCOLLECTED = { event: "notes_uncollected" };

/**
 * Sends messages to the endpoints that want them, until the signal is given; attempts under way are then given up, and
 * another process takes them up two minutes later. Every replica does this; the database divides the work.
 * @param options.keys without one nothing is sent, and a warning says so once
 */
export async function deliverMessages(sql: Sql, options: LaneOptions): Promise<void> {
  const { log, outageLog, signal } = options;
  const lanes = new Map<string, Lane>();
  let tendedAt = -Infinity;
  let mustTellOfKey = options.keys.length === 0;
  while (!signal.aborted) {
    if (performance.now() - tendedAt >= TEND_EVERY_MS) {
      tendedAt = performance.now();
      await tend(sql, options);
      if (mustTellOfKey) await tellOfKey();
    }
    await collect(sql, outageLog);
    try {
      await addressMessages(sql);
      if (options.keys.length > 0) await wakeLanes();
      outageLog.succeeded(FAILED);
    } catch (error) {
      outageLog.failed(error, FAILED);
    }
    await delay(LOOK_EVERY_MS, signal);
  }
  const { signal: never } = new AbortController();
  while ([...lanes.values()].some((lane) => !lane.isIdle())) await delay(10, never);

  /** Every round takes the endpoints as they are now: a new URL or secret counts from the next attempt on. */
  async function wakeLanes(): Promise<void> {
    for (const [id, lane] of lanes) if (lane.isIdle()) lanes.delete(id);
    const due = await findDueEndpoints(sql);
    const others = [...lanes.keys()].filter((id) => due.every((endpoint) => endpoint.id !== id));
    const current = others.length === 0 ? [] : await readEndpoints(sql, others);
    for (const id of others) {
      await lanes.get(id)?.readdress(current.find((endpoint) => endpoint.id === id) ?? null);
    }
    for (const endpoint of due) {
      const lane = lanes.get(endpoint.id) ?? openLane(sql, endpoint.id, options);
      lanes.set(endpoint.id, lane);
      await lane.readdress(endpoint);
      lane.take();
    }
  }

  /** Once: a copy of the database for tests runs without a key on purpose. */
  async function tellOfKey(): Promise<void> {
    try {
      const webhooks = await countEndpoints(sql);
      if (webhooks === 0) return;
      log.warn({ event: "webhook_key_missing", webhooks });
      mustTellOfKey = false;
    } catch (error) {
      outageLog.failed(error, UNTENDED);
    }
  }
}

/** What a node that is away has to tell comes once it is back; the others' messages go on. */
async function collect(sql: Sql, outageLog: OutageLog): Promise<void> {
  try {
    await collectNotes(sql);
    outageLog.succeeded(UNCOLLECTED);
  } catch (error) {
    outageLog.failed(error, UNCOLLECTED);
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
    outageLog.failed(error, UNTENDED);
  }
}

async function reseal(sql: Sql, keys: readonly Uint8Array[], log: Logger): Promise<void> {
  const { resealed, problems } = await resealSecrets(sql, keys);
  if (resealed > 0) log.info({ event: "webhook_secrets_resealed", secrets: resealed });
  for (const problem of problems) log.error({ event: "webhook_secret_unreadable", reason: String(problem) });
}
