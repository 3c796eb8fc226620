import type { FailureLine, OutageLog } from "../database/outage_log.ts";
import type { Sql } from "../database/sql.ts";
import type { Logger } from "../telemetry/log.ts";
import { attemptDelivery, failUnsent, openSecrets } from "./attempt.ts";
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
  /**
   * Sends what waits in memory to where the endpoint is now, signed by its present secrets; null: it gets nothing any
   * more, and what waits is due again later. Never rejects.
   */
  readdress(endpoint: DueEndpoint | null): Promise<void>;
  /** Sends what is due, beside what is under way. Returns when nothing more is due or all places are taken. Never rejects. */
  take(): Promise<void>;
  isIdle(): boolean;
}

/** Attempts under way at one endpoint, from one process. */
const IN_FLIGHT = 32;
/** Deliveries that wait in memory for a place, so that no place waits for the database. */
const WAITING = 32;

/** Opens the way to an endpoint. Attempts are made in parallel, and what became of them is recorded together. */
export function openLane(sql: Sql, id: string, options: LaneOptions): Lane {
  const { log, outageLog, signal } = options;
  const waiting: TakenDelivery[] = [];
  let underway = 0;
  let isTaking = false;
  let isRecording = false;
  let results: DeliveryResult[] = [];
  let target: { endpoint: DueEndpoint; secrets: string[] } | null = null;
  return { readdress, take, isIdle: () => underway === 0 && !isTaking && !isRecording };

  async function readdress(endpoint: DueEndpoint | null): Promise<void> {
    try {
      target = endpoint && { endpoint, secrets: await openOnce(endpoint) };
      if (endpoint !== null) outageLog.succeeded(failedTo("open"));
    } catch (error) {
      target = null;
      outageLog.failed(error, failedTo("open"));
    }
    if (target === null) waiting.length = 0;
  }

  async function openOnce(endpoint: DueEndpoint): Promise<string[]> {
    const { secret, formerSecret } = target?.endpoint ?? {};
    const isOpen = secret === endpoint.secret && formerSecret === endpoint.formerSecret;
    return isOpen && target !== null ? target.secrets : await openSecrets(endpoint, options.keys);
  }

  async function take(): Promise<void> {
    if (isTaking) return;
    isTaking = true;
    try {
      while (target !== null && !signal.aborted && waiting.length <= WAITING / 2) {
        const places = IN_FLIGHT + WAITING - underway - waiting.length;
        const taken = await takeDeliveries(sql, id, places);
        outageLog.succeeded(failedTo("take"));
        waiting.push(...taken);
        begin();
        if (taken.length < places) return;
      }
    } catch (error) {
      outageLog.failed(error, failedTo("take"));
    } finally {
      isTaking = false;
    }
  }

  function begin(): void {
    while (target !== null && underway < IN_FLIGHT && !signal.aborted) {
      const delivery = waiting.shift();
      if (delivery === undefined) return;
      send(delivery, target);
    }
  }

  async function send(
    delivery: TakenDelivery,
    { endpoint, secrets }: NonNullable<typeof target>,
  ): Promise<void> {
    underway += 1;
    try {
      const result = await attemptDelivery(options.sender, endpoint, secrets, delivery, signal);
      results.push(result);
    } catch (error) {
      if (!signal.aborted) { // else it is given up
        outageLog.failed(error, failedTo("send"));
        results.push(failUnsent(delivery));
      }
    }
    underway -= 1;
    begin();
    if (waiting.length <= WAITING / 2) take();
    await record();
  }

  /** Records all that has come meanwhile. What is not recorded is due again when its time is over. */
  async function record(): Promise<void> {
    if (isRecording) return;
    isRecording = true;
    try {
      while (results.length > 0) {
        const recorded = results;
        results = [];
        const because = await recordDeliveries(sql, id, recorded);
        outageLog.succeeded(failedTo("record"));
        logFailures(recorded);
        for (const { outcome } of recorded) options.countAttempt?.(id, outcome);
        if (because !== null) log.error({ event: "webhook_disabled", webhookId: id, because });
      }
    } catch (error) {
      outageLog.failed(error, failedTo("record"));
    } finally {
      isRecording = false;
    }
  }

  function logFailures(recorded: DeliveryResult[]): void {
    const failed = recorded.filter(({ outcome }) => outcome === "failed");
    const [first] = failed;
    if (first === undefined) return;
    const { status, error } = first;
    log.warn({ event: "webhook_failed", webhookId: id, messages: failed.length, status, error });
  }

  /** The log line of this endpoint when the service itself fails at a step. */
  function failedTo(step: "open" | "take" | "send" | "record"): FailureLine {
    return { event: "webhook_delivery_failed", webhookId: id, step };
  }
}
