import type { OutageLog } from "../database/outage_log.ts";
import type { Sql } from "../database/sql.ts";
import type { Logger } from "../telemetry/log.ts";
import { attemptDelivery, openSecrets } from "./attempt.ts";
import {
  type DeliveryResult,
  type DueEndpoint,
  recordDeliveries,
  takeDeliveries,
  type TakenDelivery,
} from "./queue.ts";
import type { Sender } from "./send.ts";

export interface LaneOptions {
  /** Of `WEBHOOK_KEY`. */
  keys: readonly Uint8Array[];
  sender: Sender;
  /** Counts what became of attempts. */
  countAttempt?: (endpointId: string, outcome: DeliveryResult["outcome"]) => void;
  log: Logger;
  outageLog: OutageLog;
  signal: AbortSignal;
}

/** The way to one endpoint, apart from all others. */
export interface Lane {
  /** Sends what is due, beside what is under way. Returns when nothing more is due or all places are taken. */
  wake(endpoint: DueEndpoint): Promise<void>;
  isIdle(): boolean;
}

/** Attempts under way at one endpoint, from one process. */
const IN_FLIGHT = 32;
/** Deliveries that wait in memory for a place, so that no place waits for the database. */
const WAITING = 32;
const FAILED = "webhook_delivery_failed";

/** Opens the way to an endpoint. Attempts are made in parallel, and what became of them is recorded together. */
export function openLane(sql: Sql, options: LaneOptions): Lane {
  const { log, outageLog, signal } = options;
  const waiting: TakenDelivery[] = [];
  let underway = 0;
  let isTaking = false;
  let isRecording = false;
  let results: DeliveryResult[] = [];
  let opened: { sealed: string; secrets: string[] } | undefined;
  return { wake, isIdle: () => underway === 0 && !isTaking && !isRecording };

  async function wake(endpoint: DueEndpoint): Promise<void> {
    if (isTaking || signal.aborted) return;
    isTaking = true;
    try {
      const secrets = await openOnce(endpoint);
      while (!signal.aborted && waiting.length <= WAITING / 2) {
        const places = IN_FLIGHT + WAITING - underway - waiting.length;
        const taken = await takeDeliveries(sql, endpoint.id, places);
        waiting.push(...taken);
        begin(endpoint, secrets);
        if (taken.length < places) return;
      }
    } catch (error) {
      outageLog.failed(error, { event: FAILED, endpointId: endpoint.id });
    } finally {
      isTaking = false;
    }
  }

  async function openOnce(endpoint: DueEndpoint): Promise<string[]> {
    const sealed = `${endpoint.secret} ${endpoint.formerSecret}`;
    if (opened?.sealed !== sealed) {
      opened = { sealed, secrets: await openSecrets(endpoint, options.keys) };
    }
    return opened.secrets;
  }

  function begin(endpoint: DueEndpoint, secrets: readonly string[]): void {
    while (underway < IN_FLIGHT && !signal.aborted) {
      const delivery = waiting.shift();
      if (delivery === undefined) return;
      underway += 1;
      attemptDelivery(options.sender, endpoint, secrets, delivery, signal)
        .then((result) => void results.push(result), () => {}) // given up with the signal
        .finally(() => {
          underway -= 1;
          begin(endpoint, secrets);
          if (waiting.length <= WAITING / 2) wake(endpoint);
          record(endpoint);
        });
    }
  }

  /** Records all that has come meanwhile. What is not recorded is due again when its time is over. */
  async function record({ id }: DueEndpoint): Promise<void> {
    if (isRecording) return;
    isRecording = true;
    try {
      while (results.length > 0) {
        const recorded = results;
        results = [];
        const because = await recordDeliveries(sql, id, recorded);
        logFailures(id, recorded);
        for (const { outcome } of recorded) options.countAttempt?.(id, outcome);
        if (because !== null) log.error({ event: "webhook_disabled", endpointId: id, because });
      }
    } catch (error) {
      outageLog.failed(error, { event: FAILED, endpointId: id });
    } finally {
      isRecording = false;
    }
  }

  function logFailures(endpointId: string, recorded: DeliveryResult[]): void {
    const failed = recorded.filter(({ outcome }) => outcome === "failed");
    const [first] = failed;
    if (first === undefined) return;
    const { status, error } = first;
    log.warn({ event: "webhook_failed", endpointId, messages: failed.length, status, error });
  }
}
