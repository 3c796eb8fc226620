import { open } from "./key.ts";
import { describeStatus, type Outcome } from "./outcome.ts";
import type { DeliveryResult, DueEndpoint, TakenDelivery } from "./queue.ts";
import { judgeOutcome, nextAttemptAt } from "./retry.ts";
import type { Sender } from "./send.ts";
import { signMessage } from "./sign.ts";

/** Opens an endpoint's secrets. */
export function openSecrets(
  { id, secret, formerSecret }: DueEndpoint,
  keys: readonly Uint8Array[],
): Promise<string[]> {
  const sealed = formerSecret === null ? [secret] : [secret, formerSecret];
  return Promise.all(sealed.map((each) => open(keys, id, each)));
}

/** Makes one attempt to deliver a message, and says what became of it. Rejects with the signal's reason, or if it cannot be sent at all. */
export async function attemptDelivery(
  sender: Sender,
  { url }: DueEndpoint,
  secrets: readonly string[],
  { messageId, body, attempts }: TakenDelivery,
  signal: AbortSignal,
): Promise<DeliveryResult> {
  if (body === null) return { messageId, outcome: "dropped" };
  const now = new Date();
  const outcome = await sender.post(
    { url, headers: { ...signMessage({ id: messageId, body }, secrets, now) }, body },
    signal,
  );
  const { tookMs } = outcome;
  const retryInMs = () => retryIn(attempts, outcome);
  if ("failed" in outcome) {
    return { messageId, outcome: "failed", error: outcome.message, tookMs, retryInMs: retryInMs() };
  }
  const { status, answer } = outcome;
  if (judgeOutcome(outcome) === "delivered") {
    return { messageId, outcome: "delivered", status, answer, tookMs };
  }
  const error = describeStatus(status);
  return { messageId, outcome: "failed", status, error, answer, tookMs, retryInMs: retryInMs() };
}

/** What becomes of a message that this service could not send, for a reason that its log has. */
export function failUnsent({ messageId, attempts }: TakenDelivery): DeliveryResult {
  const message = "the service could not send it: its log has the reason (webhook_delivery_failed)";
  const retryInMs = retryIn(attempts, { failed: "unsent", message, tookMs: 0 });
  return { messageId, outcome: "failed", error: message, retryInMs };
}

function retryIn(attempts: number, outcome: Outcome): number | null {
  const now = new Date();
  const next = nextAttemptAt(attempts, outcome, now);
  return next === null ? null : next.getTime() - now.getTime();
}
