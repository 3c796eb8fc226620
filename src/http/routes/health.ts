import { z } from "@hono/zod-openapi";
import { addRoute, type Api } from "../route.ts";
import { json } from "../schemas.ts";
import { VERSION } from "../../version.ts";

const Check = z.object({ status: z.enum(["ok", "degraded", "failed"]), detail: z.string() }).openapi("Check");

const Health = z.object({
  version: z.string().openapi({ description: "The version of the service." }),
  status: z.enum(["ready", "degraded", "unavailable", "stopping"]),
  checks: z.object({
    database: Check,
    migrations: Check,
    schema: Check.openapi({
      description: "Whether everything that the migrations make exists unchanged.",
    }),
    trigger: Check,
    defaultTrainer: Check,
    policy: Check.openapi({
      description: "Whether the columns and trainers that the rules name exist.",
    }),
    failures: Check.openapi({
      description: "Whether auto-assignments fail; ok while they only wait for room.",
    }),
    access: Check,
    names: Check.openapi({
      description:
        "Whether the configured columns with the names and e-mails of members exist and can be read.",
    }),
    memberHook: Check.openapi({
      description: "Whether events of the identity provider can be taken; ok where none are configured.",
    }),
  }),
}).openapi("Health");

const OK = { status: "ok" as const, detail: "" };
const HEALTH_EXAMPLE = {
  version: VERSION,
  status: "degraded" as const,
  checks: {
    database: OK,
    migrations: OK,
    schema: OK,
    trigger: { status: "degraded" as const, detail: "The trigger on members is disabled." },
    defaultTrainer: OK,
    policy: OK,
    failures: OK,
    access: OK,
    names: OK,
    memberHook: OK,
  },
};

/** What a supervisor asks: alive? ready? */
export function addHealthRoutes(api: Api): void {
  const { services: { stopping, outageLog }, checkHealth } = api;

  addRoute(api, {
    method: "get",
    path: "/livez",
    role: "none",
    operationId: "isAlive",
    summary: "Check that the process is alive",
    description: "Answers without asking the database. Use it as a liveness probe.",
    tags: ["Operation"],
    responses: {
      200: {
        description: "The process is alive.",
        content: json(z.object({ status: z.literal("alive") }), { status: "alive" }),
      },
    },
    errors: [],
  }, (c) => c.json({ status: "alive" as const }, 200));

  addRoute(api, {
    method: "get",
    path: "/readyz",
    role: "none",
    operationId: "isReady",
    summary: "Check that the service is ready, and what needs attention",
    description:
      "Use it as a readiness probe. `degraded` answers 200: the service works, but a check needs attention, for example a " +
      "disabled trigger, a default trainer who is not a member, or an object that another tool has dropped. Each " +
      "`detail` says what to run. The answer comes within 3 s.",
    tags: ["Operation"],
    responses: {
      200: { description: "The service is ready, or degraded.", content: json(Health, HEALTH_EXAMPLE) },
      503: {
        description: "The service is unavailable, or stopping.",
        content: json(Health, {
          version: VERSION,
          status: "unavailable",
          checks: {
            ...HEALTH_EXAMPLE.checks,
            database: { status: "failed", detail: "The database cannot be reached." },
          },
        }),
      },
    },
    errors: [],
  }, async (c) => {
    const health = { version: VERSION, ...await checkHealth() };
    if (health.status !== "unavailable") outageLog?.succeeded();
    if (stopping?.aborted) {
      return c.json({ ...health, status: "stopping" as const }, 503, { "Retry-After": "5" });
    }
    if (health.status === "unavailable") return c.json(health, 503, { "Retry-After": "5" });
    return c.json(health, 200);
  });
}
