import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { inTime } from "../../deadline.ts";
import type { Role } from "../../config/roles.ts";
import { recordAccess } from "../../history/access.ts";
import type { AppEnv } from "../env.ts";
import type { Services } from "../services.ts";

/** The same refusal is recorded once in this time. */
export const REFUSAL_EVERY_MS = 60_000;
const MAX_REFUSALS = 1000;
/** The answer waits no longer for the line. */
const WAIT_MS = 3_000;

/** Adds the start of a session to the audit log. The sign-in goes on without it; the log then has an error. */
export async function recordSignIn(
  services: Pick<Services, "sql" | "log">,
  { name, role }: { name: string; role: Role },
  by: "token" | "openid",
  requestId: string,
): Promise<void> {
  await record(services, { action: "session.started", actor: name, after: { role, by }, requestId });
}

/**
 * Adds refusals for want of a role to the audit log, with the route's template: of one caller and route at most one
 * a minute and replica. The refusal itself does not depend on it; the log has an error if it fails.
 */
export function recordRefusals(
  services: Pick<Services, "sql" | "log">,
  now: () => number = () => performance.now(),
): MiddlewareHandler<AppEnv> {
  const recordedAt = new Map<string, number>();
  return async function recordRefusals(c, next) {
    await next();
    const { refusal, requestId } = c.var;
    if (refusal === undefined) return;
    const { actor, needed, held } = refusal;
    const { method } = c.req;
    const route = c.var.route ?? routePath(c, -1);
    if (isRecent(`${actor} ${method} ${route}`)) return;
    await record(services, {
      action: "access.refused",
      actor,
      after: { method, route, needed, held },
      requestId,
    });
  };

  function isRecent(key: string): boolean {
    if (now() - (recordedAt.get(key) ?? -Infinity) < REFUSAL_EVERY_MS) return true;
    recordedAt.delete(key); // moves it to the end: a Map keeps the order of insertion
    recordedAt.set(key, now());
    const [oldest] = recordedAt.keys();
    if (recordedAt.size > MAX_REFUSALS && oldest !== undefined) recordedAt.delete(oldest);
    return false;
  }
}

async function record(
  { sql, log }: Pick<Services, "sql" | "log">,
  line: Parameters<typeof recordAccess>[1],
): Promise<void> {
  try {
    await inTime(recordAccess(sql, line), WAIT_MS, () => new Error("the database does not answer"));
  } catch (error) {
    const { action, actor, requestId } = line;
    log.error({ event: "access_not_recorded", action, actor, requestId, err: error });
  }
}
