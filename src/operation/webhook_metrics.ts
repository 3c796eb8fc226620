import { Gauge, type Registry } from "prom-client";
import type { OperationalState } from "./operational_state.ts";

/** Creates the metrics of webhooks, of which the database knows the values. */
export function createWebhookGauges(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `trainer_assignment_${name}`, help, labelNames, registers: [registry] });
  const webhooks = gauge("webhooks", "Webhooks, by whether messages are sent to them.", ["state"]);
  const messages = gauge(
    "webhook_messages",
    "Messages that wait for a webhook (pending) or were given up (failed), each counted up to 10,001.",
    ["webhook_id", "status"],
  );
  const oldest = gauge(
    "webhook_oldest_undelivered_age_seconds",
    "How long the oldest message has waited for an enabled webhook; 0 if none waits.",
    ["webhook_id"],
  );
  const failing = gauge(
    "webhook_failing_seconds",
    "How long an enabled webhook has failed without a success; 0 if it does not.",
    ["webhook_id"],
  );
  const gaps = gauge("outbox_gaps", "Changes that no message tells of yet, counted up to 10,001.");

  return {
    set(state: Pick<OperationalState, "webhooks" | "outboxGaps">): void {
      gaps.set(state.outboxGaps);
      for (const name of ["enabled", "disabled", "disabled_by_service"] as const) {
        webhooks.set({ state: name }, state.webhooks.filter((webhook) => nameState(webhook) === name).length);
      }
      for (const { id: webhook_id, ...webhook } of state.webhooks.filter(({ hasUrl }) => hasUrl)) {
        messages.set({ webhook_id, status: "pending" }, webhook.pending);
        messages.set({ webhook_id, status: "failed" }, webhook.failed);
        if (!webhook.enabled) continue;
        oldest.set({ webhook_id }, webhook.oldestPendingSeconds ?? 0);
        failing.set({ webhook_id }, webhook.failingSeconds ?? 0);
      }
    },
    clear(): void {
      gaps.remove();
      for (const each of [webhooks, messages, oldest, failing]) each.reset();
    },
  };
}

function nameState(
  { enabled, isDisabledByService }: OperationalState["webhooks"][number],
): "enabled" | "disabled" | "disabled_by_service" {
  if (enabled) return "enabled";
  return isDisabledByService ? "disabled_by_service" : "disabled";
}
