import type { Context } from "hono";
import type { Actor } from "../actor.ts";
import type { RunKind } from "../runs/progress.ts";
import type { Logger } from "../telemetry/log.ts";
import { actorName } from "./identity/auth.ts";
import type { AppEnv } from "./env.ts";

/** A change that was made through the API or the admin page. */
export type ChangeEvent =
  | `${RunKind}_${"start" | "pause" | "resume" | "cancel" | "retry"}_requested`
  | "client_assigned"
  | "assignment_ended"
  | "default_trainer_changed"
  | "policy_changed"
  | "trainer_changed"
  | "failures_retry_requested"
  | `webhook_${
    | "created"
    | "changed"
    | "deleted"
    | "secret_rotated"
    | "test_requested"
    | "redelivery_requested"}`;

/** Logs what was changed, with who did it in which request. */
export function logChange(
  log: Logger,
  by: Actor,
  event: ChangeEvent,
  values: Record<string, string | number | boolean> = {},
): void {
  log.info({ event, ...values, ...by });
}

/** Who calls, for routes that have a role. */
export function actorOf(c: Context<AppEnv>): Required<Actor> {
  return { actor: actorName(c), requestId: c.var.requestId };
}
