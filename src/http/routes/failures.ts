import { z } from "@hono/zod-openapi";
import { logFailedRetries, logNewFailures } from "../../assignments/failure_log.ts";
import { listFailures, retryFailures } from "../../assignments/failures.ts";
import { actorOf, logChange } from "../audit.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, Id, json, LINK_HEADER, StoredTime, TrainerId } from "../schemas.ts";

const Failure = z.object({
  memberId: Id,
  trainerId: TrainerId.nullable().openapi({
    description:
      "The trainer of the last attempt. Null: the policy was to choose one, or names no default trainer.",
  }),
  sqlstate: z.string(),
  message: z.string(),
  source: z.string(),
  attempts: z.int(),
  firstFailedAt: StoredTime,
  lastFailedAt: StoredTime,
  nextAttemptAt: StoredTime,
}).openapi("Failure");

const FailurePage = z.object({ failures: z.array(Failure), next: z.string().nullable() }).openapi(
  "FailurePage",
);

const RetrySummary = z.object({ retried: z.int(), succeeded: z.int(), failed: z.int() }).openapi(
  "RetrySummary",
);

const RetryProgress = RetrySummary.extend({
  remaining: z.int().openapi({ description: "Failures that are due and have not been tried yet." }),
}).openapi("RetryProgress");

/** Auto-assignments that did not succeed: see them, try them now. */
export function addFailureRoutes(api: Api): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "get",
    path: "/v1/failures",
    role: "viewer",
    operationId: "listFailures",
    summary: "List failed auto-assignments",
    description:
      "Returns the automatic assignments that failed and wait for a retry, ordered by member id, in pages. The service " +
      "retries each by itself: after 15 s at first, later after up to an hour.",
    tags: ["Failures"],
    request: { query: z.strictObject(PAGE_QUERY) },
    responses: {
      200: {
        description: "The failures.",
        headers: LINK_HEADER,
        content: json(FailurePage, {
          failures: [{
            memberId: EXAMPLE.memberId,
            trainerId: EXAMPLE.trainerId,
            sqlstate: "55P03",
            message: "canceling statement due to lock timeout",
            source: "trigger",
            attempts: 1,
            firstFailedAt: EXAMPLE.time,
            lastFailedAt: EXAMPLE.time,
            nextAttemptAt: EXAMPLE.time,
          }],
          next: null,
        }),
      },
    },
    errors: ["invalid_cursor"],
  }, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, next } = await readPage(c, {
      list: "failures",
      limit,
      cursor,
      read: (page) => listFailures(sql, page),
      idOf: (failure) => failure.memberId,
    });
    return c.json({ failures: rows, next }, 200);
  });

  addRoute(api, {
    method: "post",
    path: "/v1/failures/retry",
    role: "admin",
    operationId: "retryFailures",
    summary: "Retry all failed auto-assignments now",
    description:
      "Makes all failures due and tries each once, for about five seconds. If some remain, the answer is 202 with " +
      "`remaining`, and the service continues with them by itself.",
    tags: ["Failures"],
    responses: {
      200: {
        description: "All failures were tried.",
        content: json(RetrySummary, { retried: 3, succeeded: 2, failed: 1 }),
      },
      202: {
        description: "Some failures were tried; the service continues with the others.",
        content: json(RetryProgress, { retried: 24000, succeeded: 24000, failed: 0, remaining: 976000 }),
      },
    },
    errors: [],
  }, async (c) => {
    await logNewFailures(sql, log); // before a retry succeeds and leaves nothing to tell of
    const progress = await retryFailures(sql, {
      by: actorOf(c),
      onFailed: (failures) => logFailedRetries(log, failures),
    });
    logChange(log, actorOf(c), "failures_retry_requested", { ...progress });
    const { remaining, ...summary } = progress;
    return remaining > 0 ? c.json(progress, 202) : c.json(summary, 200);
  });
}
