import type { Context, MiddlewareHandler, Next } from "hono";
import { type Deadline, startDeadline } from "../deadline.ts";
import type { AppEnv } from "./env.ts";
import { Problem } from "./problems.ts";

/** How long a request may take by default. */
export const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Answers 504 when an answer has not begun in time, counted from the arrival of the request's head; for example
 * when the body never arrives, or the work takes too long. The work goes on until the database's own time-out.
 * A connection whose body never arrives takes no other request; the runtime leaves closing it to the caller.
 *
 * Only the head of the answer has to be there in time. What streams afterwards, an export or a run's events,
 * takes as long as its reader and the run do. Streams have limits of their own: for readers who take nothing,
 * and for how many there are.
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
 * Exempts an export or a stream of events, to be called before its slot is taken: if the request ended later, without a
 * reader, nothing would close it.
 * @throws {Problem} `request_timeout` if the request has ended already
 */
export function liftTimeLimit({ var: { deadline } }: { var: { deadline?: Deadline } }): void {
  if (deadline?.isOver()) throw new Problem("request_timeout", "The answer came too late to be sent.");
  deadline?.lift();
}

function late({ req }: Context<AppEnv>, timeoutMs: number): Problem {
  const isSafe = ["GET", "HEAD"].includes(req.method);
  return new Problem(
    "request_timeout",
    `There was no answer within ${timeoutMs} ms.` +
      (isSafe ? "" : " The change may still have been made: check before you repeat it."),
  );
}
