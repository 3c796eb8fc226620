import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** An answered request for the metrics. Every field has a bounded number of values. */
export interface CountedRequest {
  /** See {@link nameMethod}. */
  method: string;
  /** The route's template. */
  route: string;
  role?: string | undefined;
  status: number;
}

/** The counters of one process. */
export interface Metrics {
  registry: Registry;
  countRequest(request: CountedRequest, ms: number): void;
  /** Counts checks of one member that shared a query. */
  countCheckBatch(members: number): void;
  /** Counts an event of the identity provider. */
  countMemberEvent(outcome: MemberEventOutcome): void;
  /** Counts an attempt to deliver a message to a webhook. */
  countDeliveryAttempt(webhookId: string, outcome: "delivered" | "failed" | "dropped"): void;
}

/** What became of an event; `unverified`: its signature does not fit. */
export const MEMBER_EVENT_OUTCOMES = [
  "created",
  "known",
  "duplicate",
  "ignored",
  "refused",
  "unverified",
] as const;

export type MemberEventOutcome = (typeof MEMBER_EVENT_OUTCOMES)[number];

const METHODS = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]);

/** Returns the name of a known HTTP method, and `other` for any other text. */
export function nameMethod(method: string): string {
  return METHODS.has(method) ? method : "other";
}

/**
 * Creates the metrics of a process. docs/operating.md lists them; deploy/ has a dashboard and alerts.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "http_requests_total",
    help: "Requests answered.",
    labelNames: ["method", "route", "role", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's arrival to the head of its response.",
    labelNames: ["route"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const checkBatches = new Histogram({
    name: "trainer_assignment_check_batch_members",
    help: "Checks of one member that shared a query.",
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
    registers,
  });
  const memberEvents = new Counter({
    name: "trainer_assignment_member_events_total",
    help: "Events of the identity provider, by what became of them.",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of MEMBER_EVENT_OUTCOMES) memberEvents.inc({ outcome }, 0);
  const deliveryAttempts = new Counter({
    name: "trainer_assignment_webhook_attempts_total",
    help: "Attempts to deliver a message, by what came of them.",
    labelNames: ["webhook_id", "outcome"],
    registers,
  });
  addProcessMetrics(registry);

  // There are few label sets. Looking one up by its values takes longer than the rest of the counting.
  const known = new Map<string, { requests: { inc(): void }; durations: { observe(value: number): void } }>();
  function metersOf({ method, route, role = "none", status }: CountedRequest) {
    const key = `${method} ${route} ${role} ${status}`;
    let meters = known.get(key);
    if (meters === undefined) {
      meters = {
        requests: requests.labels(method, route, role, String(status)),
        durations: durations.labels(route),
      };
      known.set(key, meters);
    }
    return meters;
  }

  return {
    registry,
    countRequest(request, ms) {
      const meters = metersOf(request);
      meters.requests.inc();
      meters.durations.observe(ms / 1000);
    },
    countCheckBatch: (members) => checkBatches.observe(members),
    countMemberEvent: (outcome) => memberEvents.inc({ outcome }),
    countDeliveryAttempt: (webhook_id, outcome) => deliveryAttempts.inc({ webhook_id, outcome }),
  };
}

/** Adds process metrics. prom-client's own need permissions that the service does not have. */
function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Gauge({ name: "process_start_time_seconds", help: "When the process started.", registers })
    .set(performance.timeOrigin / 1000);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory in use.",
    registers,
    collect() {
      this.set(Deno.memoryUsage().rss);
    },
  });
}
