import { z } from "@hono/zod-openapi";
import { PolicySchema } from "../../policy/document.ts";
import { getPolicy, putPolicy } from "../../policy/policies.ts";
import { actorOf, logChange } from "../audit.ts";
import { actorName } from "../identity/auth.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, json, Time } from "../schemas.ts";

const Policy = z.object({
  version: z.int().min(1).openapi({ example: 1 }),
  policy: z.looseObject({
    defaultTrainerId: z.string(),
    respectsOtherTrainers: z.boolean(),
    rules: z.array(z.unknown()),
  }),
  comment: z.string().nullable(),
  createdAt: Time,
  createdBy: z.string(),
}).openapi("Policy");

const POLICY_EXAMPLE = {
  version: 1,
  policy: { defaultTrainerId: EXAMPLE.trainerId, respectsOtherTrainers: false, rules: [] },
  comment: null,
  createdAt: EXAMPLE.time,
  createdBy: "migration",
};

/** The policy: who trains whom. */
export function addPolicyRoutes(api: Api): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "get",
    path: "/v1/policy",
    role: "admin",
    operationId: "getPolicy",
    summary: "Get the policy in force",
    description: "Returns the policy in force.",
    tags: ["Policy"],
    responses: { 200: { description: "The policy.", content: json(Policy, POLICY_EXAMPLE) } },
    errors: [],
  }, async (c) => c.json(await getPolicy(sql), 200));

  addRoute(api, {
    method: "put",
    path: "/v1/policy",
    role: "admin",
    operationId: "putPolicy",
    summary: "Write the next version of the policy",
    description: "Writes the next version of the policy.",
    tags: ["Policy"],
    request: {
      body: { required: true, content: json(PolicySchema, { defaultTrainerId: EXAMPLE.trainerId }) },
    },
    responses: { 200: { description: "The new version.", content: json(Policy, POLICY_EXAMPLE) } },
    errors: ["policy_invalid", "policy_changed"],
  }, async (c) => {
    const { policy } = await putPolicy(sql, c.req.valid("json"), actorName(c));
    logChange(log, actorOf(c), "policy_changed", { version: policy.version });
    return c.json(policy, 200);
  });
}
