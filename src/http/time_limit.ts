import type { Context, MiddlewareHandler, Next } from "hono";
import { type Deadline, startDeadline } from "../deadline.ts";
import type { AppEnv } from "./env.ts";
import { Problem } from "./problems.ts";

/** How long a request may take where nothing is said. */
export const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Answers 504 when there is no answer in time, counted from the arrival of the request's head: be it that its body does
 * not come, or that the work takes so long. The work goes on; what bounds it is the database's own time-out. The
 * connection of a body that does not come can take no other request, but the runtime leaves it to the caller to close it.
 *
 * It is the head of the answer that has to be there in time. What streams afterwards, an export or a run's events, takes
 * as long as its reader and the run do: it has bounds of its own, for who takes nothing and for how many there are.
 */
export function limitTime(timeoutMs: number): MiddlewareHandler<AppEnv> {
  return (c, next) => withTimeLimit(c, timeoutMs, next);
}

/** What {@link limitTime} does, for a part of the service that has its own middleware. */
export async function withTimeLimit(c: Context<AppEnv>, timeoutMs: number, next: Next): Promise<void> {
  const now = performance.now();
  const spentMs = now - (c.env.begun?.arrivedAt ?? now);
  const deadline = startDeadline(Math.max(0, timeoutMs - spentMs), () => late(c, timeoutMs));
  c.set("deadline", deadline);
  try {
    await Promise.race([next(), deadline.over]);
  } finally {
    deadline.lift();
  }
}

/**
 * Exempts an export: it is opened by reading its first rows, and had the request ended meanwhile, nobody would be there
 * to close it again.
 */
export function liftTimeLimit({ var: { deadline } }: { var: { deadline?: Deadline } }): void {
  deadline?.lift();
}

function late({ req }: Context<AppEnv>, timeoutMs: number): Problem {
  const isSafe = ["GET", "HEAD"].includes(req.method);
  return new Problem(
    "request_timeout",
    `There was no answer within ${timeoutMs} ms.` +
      (isSafe ? "" : " What was asked for may be done all the same: look before you repeat it."),
  );
}
