import { OpenAPIHono } from "@hono/zod-openapi";
import { addAdminPages } from "../admin/app.tsx";
import { joinChecks } from "../joined_checks.ts";
import { createMetrics } from "../metrics.ts";
import { readFrom } from "../read_replica.ts";
import { addCheckLane } from "./check_lane.ts";
import { allowOrigins, SHARED_PATHS } from "./cors.ts";
import type { AppEnv } from "./env.ts";
import { errorHandler } from "./error_handler.ts";
import { refuseOddHosts } from "./host.ts";
import { observe } from "./observe.ts";
import { registerSecurity } from "./openapi.ts";
import { Problem, problemResponse } from "./problems.ts";
import { createRateLimit } from "./rate_limit.ts";
import { type Api, refuseOtherMethods } from "./route.ts";
import { addBackfillErrorRoutes } from "./routes/backfill_errors.ts";
import { addBackfillEventRoutes } from "./routes/backfill_events.ts";
import { addBackfillRoutes } from "./routes/backfills.ts";
import { addBackfillSteeringRoutes } from "./routes/backfill_steering.ts";
import { addDocumentationRoutes } from "./routes/docs.ts";
import { addFailureRoutes } from "./routes/failures.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { addMemberRoutes } from "./routes/members.ts";
import { addMetricsRoutes } from "./routes/metrics.ts";
import { addSettingsRoutes } from "./routes/settings.ts";
import { addTrainerRoutes } from "./routes/trainers.ts";
import { strictHeaders } from "./security_headers.ts";
import type { Services } from "./services.ts";
import { createSlots } from "./slots.ts";
import { MAX_EXPORTS } from "./streaming.ts";
import { limitTime, REQUEST_TIMEOUT_MS } from "./time_limit.ts";

export type { Services } from "./services.ts";

/** Makes the HTTP application: every route, what surrounds it, and one way to tell of errors. */
export function createApp(given: Services): OpenAPIHono<AppEnv> {
  const { metrics = createMetrics(), corsOrigins = [], requestTimeoutMs = REQUEST_TIMEOUT_MS } = given;
  const services = { ...given, metrics };
  const app = new OpenAPIHono<AppEnv>();
  app.use(observe(services), strictHeaders, refuseOddHosts);
  if (corsOrigins.length > 0) app.on("ALL", SHARED_PATHS, allowOrigins(corsOrigins));
  app.use("/v1/*", limitTime(requestTimeoutMs));
  app.onError(errorHandler(services.log));
  app.notFound((c) => problemResponse(c, new Problem("not_found", `There is nothing at ${c.req.path}.`)));
  registerSecurity(app);

  const { beginRead = () => readFrom(services.sql) } = services.replica ?? {};
  const api: Api = { app, services, beginRead, takeQuota: createRateLimit(given.rateLimitPerMinute ?? 0) };
  const takeExportSlot = createSlots(MAX_EXPORTS);
  const checkMember = joinChecks(services.sql, {
    onQuery: metrics.countCheckBatch,
    timeoutMs: requestTimeoutMs / 2,
    beginRead,
  });
  addMemberRoutes(api, checkMember);
  addTrainerRoutes(api, takeExportSlot);
  addBackfillRoutes(api);
  addBackfillSteeringRoutes(api);
  addBackfillErrorRoutes(api, takeExportSlot);
  addBackfillEventRoutes(api);
  addFailureRoutes(api);
  addSettingsRoutes(api);
  addHealthRoutes(api);
  addMetricsRoutes(api, metrics);
  addDocumentationRoutes(api);
  addAdminPages(api);
  refuseOtherMethods(api);
  addCheckLane(api, checkMember);
  return app;
}
