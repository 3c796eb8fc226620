import { open } from "./key.ts";
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

/** Makes one attempt to deliver a message, and says what became of it. Rejects with the signal's reason only. */
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
  const answered = "failed" in outcome
    ? { error: outcome.message, tookMs }
    : { status: outcome.status, answer: outcome.answer, tookMs };
  if (judgeOutcome(outcome) === "delivered") return { messageId, outcome: "delivered", ...answered };
  const ended = new Date();
  const next = nextAttemptAt(attempts, outcome, ended);
  const retryInMs = next === null ? null : next.getTime() - ended.getTime();
  return { messageId, outcome: "failed", ...answered, retryInMs };
}
