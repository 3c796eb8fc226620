import { OpenAPIHono } from "@hono/zod-openapi";
import { addAdminPages } from "./admin/app.tsx";
import { addEntrance } from "./admin/entrance.ts";
import { batchChecks } from "./assignments/batched_checks.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { watchVisibleRows } from "./database/visible_rows.ts";
import { readFrom } from "./database/read_replica.ts";
import { createCheckFastPath } from "./http/check_fast_path.ts";
import { allowOrigins, SHARED_PATHS } from "./http/cors.ts";
import type { AppEnv, Fetch } from "./http/env.ts";
import { recordRefusals } from "./http/identity/access_log.ts";
import { errorHandler } from "./http/error_handler.ts";
import { refuseOddHosts } from "./http/host.ts";
import { observe } from "./http/observe.ts";
import { registerSecurity } from "./http/openapi.ts";
import { Problem, problemResponse } from "./http/problems.ts";
import { createRateLimit } from "./http/rate_limit.ts";
import { type Api, refuseOtherMethods } from "./http/route.ts";
import { addBackfillRoutes } from "./http/routes/backfills.ts";
import { addAuditRoutes } from "./http/routes/audit.ts";
import { addDocumentationRoutes } from "./http/routes/docs.ts";
import { addEventRoutes } from "./http/routes/events.ts";
import { addFailureRoutes } from "./http/routes/failures.ts";
import { addHealthRoutes } from "./http/routes/health.ts";
import { addMemberAssignmentsRoute } from "./http/routes/member_assignments.ts";
import { addMemberExportRoute } from "./http/routes/member_export.ts";
import { addMemberSearchRoute } from "./http/routes/member_search.ts";
import { addMemberHookRoutes } from "./http/routes/member_hook.ts";
import { addMemberRoutes } from "./http/routes/members.ts";
import { addMetricsRoutes } from "./http/routes/metrics.ts";
import { addPolicyRoutes } from "./http/routes/policy.ts";
import { addPolicyPreviewRoutes } from "./http/routes/policy_preview.ts";
import { addRunErrorRoutes } from "./http/routes/run_errors.ts";
import { addRunEventRoutes } from "./http/routes/run_event_stream.ts";
import { addRunStatusRoutes } from "./http/routes/run_status.ts";
import { addRunRoutes } from "./http/routes/runs.ts";
import { addTrainerRoutes } from "./http/routes/trainers.ts";
import { addTrainerSettingsRoutes } from "./http/routes/trainer_settings.ts";
import { addTransferRoutes } from "./http/routes/transfers.ts";
import { addWebhookDeliveryRoutes } from "./http/routes/webhook_deliveries.ts";
import { addWebhookRoutes } from "./http/routes/webhooks.ts";
import { shareHealthChecks } from "./operation/shared_health.ts";
import { createOutageLog } from "./database/outage_log.ts";
import { strictHeaders } from "./http/security_headers.ts";
import type { Services } from "./http/services.ts";
import { createSlots } from "./http/slots.ts";
import { MAX_EXPORTS } from "./http/streaming.ts";
import { limitTime, REQUEST_TIMEOUT_MS } from "./http/time_limit.ts";

export type { Services } from "./http/services.ts";

/** The HTTP application. */
export interface App {
  /** Answers a request: a check on its fast path, everything else through the router. */
  fetch: Fetch;
  router: OpenAPIHono<AppEnv>;
}

/** Creates the HTTP application: every route, its middleware, and one error handler. */
export function createApp(given: Services): App {
  const { metrics = createMetrics(), corsOrigins = [], requestTimeoutMs = REQUEST_TIMEOUT_MS } = given;
  const outageLog = given.outageLog ?? createOutageLog(given.log);
  const services = { ...given, metrics, outageLog };
  const app = new OpenAPIHono<AppEnv>();
  app.use(observe(services), recordRefusals(services), strictHeaders, refuseOddHosts);
  if (corsOrigins.length > 0) app.on("ALL", SHARED_PATHS, allowOrigins(corsOrigins));
  app.use("/v1/*", limitTime(requestTimeoutMs));
  app.onError(errorHandler(services.log, outageLog));
  app.notFound((c) => problemResponse(c, new Problem("not_found", `The path ${c.req.path} does not exist.`)));
  registerSecurity(app);

  const { beginRead = () => readFrom(services.sql) } = services.replica ?? {};
  const requireVisibleRows = watchVisibleRows(services.watchSql ?? services.sql);
  const api: Api = {
    app,
    services,
    beginRead,
    requireVisibleRows,
    checkHealth: shareHealthChecks(services),
    takeQuota: createRateLimit(given.rateLimitPerMinute ?? 0),
  };
  const takeExportSlot = createSlots(MAX_EXPORTS);
  const checkMember = batchChecks(services.sql, {
    onQuery: metrics.countCheckBatch,
    timeoutMs: requestTimeoutMs / 2,
    requireVisibleRows,
    beginRead,
  });
  addMemberRoutes(api, checkMember);
  addMemberSearchRoute(api);
  addMemberAssignmentsRoute(api);
  addMemberHookRoutes(api);
  addTrainerSettingsRoutes(api);
  addTrainerRoutes(api, takeExportSlot);
  addBackfillRoutes(api);
  addTransferRoutes(api);
  addRunRoutes(api);
  addRunStatusRoutes(api);
  addRunErrorRoutes(api, takeExportSlot);
  addRunEventRoutes(api);
  addFailureRoutes(api);
  addPolicyRoutes(api);
  addPolicyPreviewRoutes(api);
  addWebhookRoutes(api);
  addWebhookDeliveryRoutes(api);
  addEventRoutes(api);
  addAuditRoutes(api, takeExportSlot);
  addMemberExportRoute(api, takeExportSlot);
  addHealthRoutes(api);
  addMetricsRoutes(api, metrics);
  addDocumentationRoutes(api);
  addAdminPages(api);
  addEntrance(api);
  refuseOtherMethods(api);
  return { fetch: createCheckFastPath(api, app.fetch, checkMember), router: app };
}
