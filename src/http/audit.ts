import type { Context } from "hono";
import type { Logger } from "../log.ts";
import { actorName } from "./auth.ts";
import type { AppEnv } from "./env.ts";

/** What somebody changed through a request. */
export type ChangeEvent =
  | "backfill_start_requested"
  | "backfill_pause_requested"
  | "backfill_resume_requested"
  | "backfill_cancel_requested"
  | "backfill_retry_requested"
  | "default_trainer_changed"
  | "failures_retry_requested";

/** Logs what was changed, with who did and the request's id. */
export function logChange(
  log: Logger,
  c: Context<AppEnv>,
  event: ChangeEvent,
  values: Record<string, string | number> = {},
): void {
  log.info({ event, ...values, actor: actorName(c), requestId: c.var.requestId });
}
